package io.catchment.broker.partition;

import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;

/** Asks a transaction's coordinator whether a partition is part of it (KIP-890). Thread-safe, must not block. */
@FunctionalInterface
public interface TransactionVerifier {

    /**
     * Completes, in seconds at most and never exceptionally, with NONE when the partition is part of the transaction under way, else with
     * the error for the client.
     */
    CompletionStage<Errors> verify(Use use, long producerId, short producerEpoch, TopicPartition partition);

    /** What the client that writes can do. */
    enum Ability {
        /** It adds partitions by itself, and knows no TRANSACTION_ABORTABLE. */
        OLD,
        /** It adds partitions by itself. */
        ABORTABLE,
        /** It leaves adding to whoever takes its first records, and its epoch rises with each transaction. */
        ADDED_BY_LOG
    }

    record Use(String transactionalId, Ability ability) {
        public boolean epochRises() {
            return ability == Ability.ADDED_BY_LOG;
        }
    }
}
