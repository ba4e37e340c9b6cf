package io.catchment.broker.node;

import io.catchment.broker.partition.OwnedPartitions;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.share.state.ShareCoordinatorHost;

/** Tells the share coordinator which partitions of its topic this node serves. */
final class ShareFeed implements OwnedPartitions.Listener {
    private final ShareCoordinatorHost shares;

    ShareFeed(ShareCoordinatorHost shares) {
        this.shares = shares;
    }

    @Override
    public void opened(PartitionView partition) {
        if (ShareCoordinatorHost.isOf(partition.topicPartition())) {
            shares.onPartitionOpened(partition.topicPartition().partition(), partition.leaderEpoch());
        }
    }

    @Override
    public void closed(PartitionView partition) {
        if (ShareCoordinatorHost.isOf(partition.topicPartition())) {
            shares.onPartitionClosed(partition.topicPartition().partition());
        }
    }
}
