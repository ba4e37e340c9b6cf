package io.catchment.broker.transaction.api;

import io.catchment.broker.partition.OwnedPartitions;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.transaction.MarkerWriter;
import io.catchment.broker.transaction.TransactionCoordinator;
import io.catchment.controlplane.ClusterImage;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** The table of transaction APIs but InitProducerId, which idempotent producers use too. */
public final class TransactionApis {
    private TransactionApis() {}

    public static List<ApiHandler> handlers(
            TransactionCoordinator coordinator,
            GroupCoordinator groups,
            OwnedPartitions partitions,
            Supplier<ClusterImage> image,
            Time time) {
        return List.of(
                new AddPartitionsToTxnHandler(coordinator, image),
                new AddOffsetsToTxnHandler(coordinator, groups),
                new EndTxnHandler(coordinator),
                new TxnOffsetCommitHandler(groups, image),
                new WriteTxnMarkersHandler(new MarkerWriter(partitions, partitions, groups, time)),
                new DescribeTransactionsHandler(coordinator),
                new ListTransactionsHandler(coordinator, time),
                new DescribeProducersHandler(partitions, image));
    }
}
