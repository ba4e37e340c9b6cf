package io.catchment.broker.transaction;

import io.catchment.broker.coordinatorlog.Tenure;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.partition.InternalLog;
import io.catchment.broker.partition.PartitionView;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.coordinator.transaction.TransactionLog;
import org.apache.kafka.coordinator.transaction.TxnTransitMetadata;
import org.apache.kafka.server.common.TransactionVersion;
import org.jspecify.annotations.Nullable;

/**
 * One partition of {@code __transaction_state} in one tenure of this node: its transactions, and the appends that are not acknowledged yet. Owned
 * by the coordinator's thread; {@link #advanced} alone is called by the partition's event loop.
 */
final class LogPartition implements PartitionView.AdvanceListener {
    private final Tenure tenure;
    private final InternalLog log;
    private final SerialLoop loop;
    private final Map<String, Transaction> transactions = new HashMap<>();
    private final TreeMap<Long, List<Consumer<Errors>>> unacknowledged = new TreeMap<>();
    private boolean loaded;
    private boolean closed;

    LogPartition(Tenure tenure, InternalLog log, SerialLoop loop) {
        this.tenure = tenure;
        this.log = log;
        this.loop = loop;
    }

    Tenure tenure() {
        return tenure;
    }

    /** Fences markers of earlier coordinators. */
    int coordinatorEpoch() {
        return tenure.epoch();
    }

    boolean isLoaded() {
        return loaded;
    }

    void loaded(Map<String, Transaction> found) {
        transactions.putAll(found);
        loaded = true;
        tenure.view().watch(this);
    }

    boolean holds() {
        return !closed && tenure.holds();
    }

    Map<String, Transaction> transactions() {
        return transactions;
    }

    /** {@code done} hears on the coordinator's thread: NONE once it is acknowledged, else what to tell a client. */
    void append(String transactionalId, TxnTransitMetadata next, Consumer<Errors> done) {
        append(
                TransactionLog.keyToBytes(transactionalId),
                TransactionLog.valueToBytes(next, TransactionVersion.TV_2),
                done);
    }

    /** The id is forgotten. */
    void appendTombstone(String transactionalId, Consumer<Errors> done) {
        append(TransactionLog.keyToBytes(transactionalId), null, done);
    }

    private void append(byte[] key, byte @Nullable [] value, Consumer<Errors> done) {
        if (!holds()) {
            done.accept(Errors.NOT_COORDINATOR);
            return;
        }
        MemoryRecords records =
                MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(loop.wallClockMs(), key, value));
        var unused = log.append(tenure.topicPartition(), tenure.epoch(), records.buffer())
                .whenComplete((end, failure) ->
                        loop.execute(() -> queued(end, failure, done), () -> done.accept(Errors.NOT_COORDINATOR)));
    }

    private void queued(@Nullable Long end, @Nullable Throwable failure, Consumer<Errors> done) {
        if (closed) {
            done.accept(Errors.NOT_COORDINATOR);
        } else if (end == null) {
            done.accept(error(failure));
        } else {
            unacknowledged.computeIfAbsent(end, at -> new ArrayList<>(1)).add(done);
            settle();
        }
    }

    private static Errors error(@Nullable Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        if (cause instanceof KafkaStorageException) {
            return Errors.COORDINATOR_NOT_AVAILABLE;
        }
        Errors error = Errors.forException(cause);
        return error == Errors.NOT_LEADER_OR_FOLLOWER ? Errors.NOT_COORDINATOR : error;
    }

    @Override
    public void advanced(PartitionView partition) {
        loop.execute(this::settle);
    }

    private void settle() {
        long acknowledged = tenure.view().highWatermark();
        while (!closed && !unacknowledged.isEmpty() && unacknowledged.firstKey() <= acknowledged) {
            unacknowledged.pollFirstEntry().getValue().forEach(done -> done.accept(Errors.NONE));
        }
    }

    /** What was appended may yet be acknowledged: the next coordinator finds it in the log. */
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (loaded) {
            tenure.view().unwatch(this);
        }
        List<Consumer<Errors>> waiting = new ArrayList<>();
        unacknowledged.values().forEach(waiting::addAll);
        unacknowledged.clear();
        waiting.forEach(done -> done.accept(Errors.NOT_COORDINATOR));
    }
}
