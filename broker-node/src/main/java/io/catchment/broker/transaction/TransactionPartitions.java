package io.catchment.broker.transaction;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** The partitions of {@code __transaction_state} that this node owns now. Owned by the coordinator's thread. */
final class TransactionPartitions {
    private final TransactionTopic topic;
    private final Map<Integer, LogPartition> partitions = new HashMap<>();

    TransactionPartitions(TransactionTopic topic) {
        this.topic = topic;
    }

    /** The one the id lives in. Throws NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS. */
    LogPartition of(String transactionalId) {
        LogPartition partition = partitions.get(topic.partitionOf(transactionalId));
        if (partition == null || !partition.holds()) {
            throw Errors.NOT_COORDINATOR.exception();
        }
        if (!partition.isLoaded()) {
            throw Errors.COORDINATOR_LOAD_IN_PROGRESS.exception();
        }
        return partition;
    }

    Collection<LogPartition> loaded() {
        return List.copyOf(partitions.values()).stream()
                .filter(partition -> partition.isLoaded() && partition.holds())
                .toList();
    }

    boolean isLoading() {
        return partitions.values().stream().anyMatch(partition -> !partition.isLoaded());
    }

    void put(int index, LogPartition partition) {
        LogPartition before = partitions.put(index, partition);
        if (before != null) {
            before.close();
        }
    }

    /** Whoever waits for an acknowledgement is sent elsewhere. */
    void end() {
        partitions.values().forEach(LogPartition::close);
    }

    @Nullable
    LogPartition remove(int index) {
        return partitions.remove(index);
    }
}
