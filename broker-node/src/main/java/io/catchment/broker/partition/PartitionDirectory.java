package io.catchment.broker.partition;

import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** The open partitions of this node. Lookups are lock-free. */
public interface PartitionDirectory {

    /** Null when this node does not serve it; the cluster image tells whether it exists. */
    @Nullable
    PartitionView find(String topic, int partition);

    @Nullable
    PartitionView find(Uuid topicId, int partition);
}
