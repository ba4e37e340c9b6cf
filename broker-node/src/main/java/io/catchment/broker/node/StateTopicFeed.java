package io.catchment.broker.node;

import io.catchment.broker.partition.OwnedPartitions;
import io.catchment.broker.partition.PartitionView;
import java.util.function.IntConsumer;

/** Tells a coordinator which partitions of its topic this node serves. Immutable. */
record StateTopicFeed(String topic, Opened coordinatorOpened, IntConsumer coordinatorClosed)
        implements OwnedPartitions.Listener {

    /** A partition serves. */
    @FunctionalInterface
    interface Opened {
        void opened(int partition, int leaderEpoch);
    }

    @Override
    public void opened(PartitionView partition) {
        if (isOfTopic(partition)) {
            coordinatorOpened.opened(partition.topicPartition().partition(), partition.leaderEpoch());
        }
    }

    @Override
    public void closed(PartitionView partition) {
        if (isOfTopic(partition)) {
            coordinatorClosed.accept(partition.topicPartition().partition());
        }
    }

    private boolean isOfTopic(PartitionView partition) {
        return partition.topicPartition().topic().equals(topic);
    }
}
