package io.catchment.broker.node;

import io.catchment.broker.partition.OwnedPartitions;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.transaction.TransactionHost;

/** Tells the transaction coordinator which partitions of its topic this node serves. */
final class TransactionFeed implements OwnedPartitions.Listener {
    private final TransactionHost transactions;

    TransactionFeed(TransactionHost transactions) {
        this.transactions = transactions;
    }

    @Override
    public void opened(PartitionView partition) {
        if (TransactionHost.isOf(partition.topicPartition())) {
            transactions.onPartitionOpened(partition.topicPartition().partition());
        }
    }

    @Override
    public void closed(PartitionView partition) {
        if (TransactionHost.isOf(partition.topicPartition())) {
            transactions.onPartitionClosed(partition.topicPartition().partition());
        }
    }
}
