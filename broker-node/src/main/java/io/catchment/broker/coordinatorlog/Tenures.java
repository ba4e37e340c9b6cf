package io.catchment.broker.coordinatorlog;

import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.partition.PartitionView;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.apache.kafka.common.TopicPartition;

/** The present tenures of this node by partition. Thread-safe: owned by nobody, a concurrent map. */
public final class Tenures {
    private final PartitionDirectory partitions;
    private final ConcurrentMap<TopicPartition, Tenure> tenures = new ConcurrentHashMap<>();

    public Tenures(PartitionDirectory partitions) {
        this.partitions = partitions;
    }

    /** Called when a load starts; empty when this node does not own the partition (any more). */
    public Optional<Tenure> begin(TopicPartition partition) {
        PartitionView view = partitions.find(partition.topic(), partition.partition());
        if (view == null || !view.owned()) {
            return Optional.empty();
        }
        return Optional.of(tenures.compute(
                partition, (key, present) -> present != null && present.isOf(view) ? present : new Tenure(view)));
    }

    public Optional<Tenure> find(TopicPartition partition) {
        return Optional.ofNullable(tenures.get(partition)).filter(Tenure::holds);
    }

    public void end(TopicPartition partition) {
        Tenure tenure = tenures.remove(partition);
        if (tenure != null) {
            tenure.end();
        }
    }
}
