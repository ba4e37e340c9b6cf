package io.catchment.broker.transaction;

import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.coordinator.transaction.TransactionMetadata;
import org.apache.kafka.coordinator.transaction.TransactionState;

/** A transactional id as administrators see it. */
public record TransactionDescription(
        String transactionalId,
        long producerId,
        short producerEpoch,
        TransactionState state,
        int timeoutMs,
        long startMs,
        Set<TopicPartition> partitions) {
    static TransactionDescription of(TransactionMetadata state) {
        return new TransactionDescription(
                state.transactionalId(),
                state.producerId(),
                state.producerEpoch(),
                state.state(),
                state.txnTimeoutMs(),
                state.txnStartTimestamp(),
                Set.copyOf(state.topicPartitions()));
    }
}
