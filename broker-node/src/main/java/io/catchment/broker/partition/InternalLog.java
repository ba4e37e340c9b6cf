package io.catchment.broker.partition;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;

/** Appends that the node itself makes to its internal topics (group state), by the same way as a client's produce. */
public interface InternalLog {

    /**
     * Validates, gives offsets to and queues the batches, which are copied before this returns. The stage completes with the
     * offset after the last record as soon as it is queued (not yet acknowledged: watch the high watermark), or fails with
     * Kafka's ApiException (NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR, …). {@code leaderEpoch} -1 means any.
     */
    CompletionStage<Long> append(TopicPartition partition, int leaderEpoch, ByteBuffer batches);
}
