package io.catchment.broker.node;

import io.catchment.broker.group.GroupCoordinatorHost;
import io.catchment.broker.partition.OwnedPartitions;
import io.catchment.broker.partition.PartitionView;
import org.apache.kafka.common.internals.Topic;

/** Tells the group coordinator which partitions of its topic this node serves. */
final class GroupFeed implements OwnedPartitions.Listener {
    private final GroupCoordinatorHost groups;

    GroupFeed(GroupCoordinatorHost groups) {
        this.groups = groups;
    }

    @Override
    public void opened(PartitionView partition) {
        if (isGroupState(partition)) {
            groups.onPartitionOpened(partition.topicPartition().partition(), partition.leaderEpoch());
        }
    }

    @Override
    public void closed(PartitionView partition) {
        if (isGroupState(partition)) {
            groups.onPartitionClosed(partition.topicPartition().partition());
        }
    }

    private static boolean isGroupState(PartitionView partition) {
        return partition.topicPartition().topic().equals(Topic.GROUP_METADATA_TOPIC_NAME);
    }
}
