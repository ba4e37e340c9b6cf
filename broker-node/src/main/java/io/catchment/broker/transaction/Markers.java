package io.catchment.broker.transaction;

import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/**
 * The end of one transaction, to be written into each of its partitions.
 *
 * @param transactionVersion by which the epoch is checked there
 */
record Markers(
        String transactionalId,
        long producerId,
        short producerEpoch,
        int coordinatorEpoch,
        boolean commit,
        short transactionVersion,
        Set<TopicPartition> partitions) {
    Markers {
        partitions = Set.copyOf(partitions);
    }
}
