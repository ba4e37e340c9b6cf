package io.catchment.broker.transaction;

import io.catchment.broker.partition.InternalLog;
import io.catchment.broker.partition.InternalLog.InTransaction;
import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.partition.PartitionView;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest.TxnMarkerEntry;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.coordinator.group.GroupCoordinator;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/**
 * Ends transactions in partitions of this node: a control batch in each, in those of {@code __consumer_offsets} by way of the group coordinator,
 * whose offsets become visible with it. Immutable, thread-safe.
 */
public final class MarkerWriter {
    /** Whoever asked is answered by then, and asks again. */
    private static final long PATIENCE_MS = 4_000;

    private final InternalLog log;
    private final PartitionDirectory partitions;
    private final GroupCoordinator groups;
    private final Time time;

    public MarkerWriter(InternalLog log, PartitionDirectory partitions, GroupCoordinator groups, Time time) {
        this.log = log;
        this.partitions = partitions;
        this.groups = groups;
        this.time = time;
    }

    /** NONE once the marker is acknowledged; never completes exceptionally. */
    public CompletionStage<Errors> write(TxnMarkerEntry marker, TopicPartition partition) {
        CompletionStage<?> written = partition.topic().equals(Topic.GROUP_METADATA_TOPIC_NAME)
                ? groups.completeTransaction(
                        partition,
                        marker.producerId(),
                        marker.producerEpoch(),
                        marker.coordinatorEpoch(),
                        marker.transactionResult(),
                        marker.transactionVersion())
                : append(marker, partition);
        return written.handle((nothing, failure) -> failure == null ? Errors.NONE : error(failure));
    }

    private static Errors error(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        Errors error = Errors.forException(cause);
        return switch (error) {
            case NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS ->
                Errors.NOT_LEADER_OR_FOLLOWER;
            default -> error;
        };
    }

    private CompletionStage<Boolean> append(TxnMarkerEntry marker, TopicPartition partition) {
        PartitionView view = partitions.find(partition.topic(), partition.partition());
        if (view == null || !view.serving()) {
            return CompletableFuture.failedFuture(Errors.NOT_LEADER_OR_FOLLOWER.exception());
        }
        ControlRecordType type = marker.transactionResult() == TransactionResult.COMMIT
                ? ControlRecordType.COMMIT
                : ControlRecordType.ABORT;
        MemoryRecords batch = MemoryRecords.withEndTransactionMarker(
                time.milliseconds(),
                marker.producerId(),
                marker.producerEpoch(),
                new EndTransactionMarker(type, marker.coordinatorEpoch()));
        return log.append(
                        partition,
                        view.leaderEpoch(),
                        batch.buffer(),
                        new InTransaction(VerificationGuard.SENTINEL, marker.transactionVersion()))
                .thenCompose(end -> new Acknowledgement(view, end).future());
    }

    /** Waits until a partition is acknowledged up to an offset. */
    private static final class Acknowledgement implements PartitionView.AdvanceListener {
        private final PartitionView view;
        private final long endOffset;
        private final CompletableFuture<Boolean> reached = new CompletableFuture<>();

        Acknowledgement(PartitionView view, long endOffset) {
            this.view = view;
            this.endOffset = endOffset;
        }

        CompletionStage<Boolean> future() {
            view.watch(this);
            // It may have moved before the watch began.
            advanced(view);
            return reached.orTimeout(PATIENCE_MS, TimeUnit.MILLISECONDS)
                    .whenComplete((done, failure) -> view.unwatch(this));
        }

        @Override
        public void advanced(PartitionView partition) {
            if (partition.highWatermark() >= endOffset) {
                reached.complete(true);
            } else if (!partition.owned()) {
                reached.completeExceptionally(Errors.NOT_LEADER_OR_FOLLOWER.exception());
            }
        }
    }
}
