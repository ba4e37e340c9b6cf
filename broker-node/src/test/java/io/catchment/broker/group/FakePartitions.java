package io.catchment.broker.group;

import io.catchment.broker.partition.InternalLog;
import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.partition.TransactionVerifier;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.read.StreamReader;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.jspecify.annotations.Nullable;

/** The partitions of a node in memory, with faults to be switched on. Thread-safe. */
final class FakePartitions implements InternalLog, PartitionDirectory, StreamReader {
    enum AppendFault {
        NONE,
        /** Refused, not written. */
        REFUSED,
        /** Said to have failed, and written all the same. */
        FAILED_BUT_WRITTEN
    }

    private final Map<TopicPartition, FakePartition> partitions = new ConcurrentHashMap<>();
    private final AtomicInteger readFailures = new AtomicInteger();
    private final AtomicInteger reads = new AtomicInteger();
    private volatile AppendFault appendFault = AppendFault.NONE;
    private volatile @Nullable CompletableFuture<Void> readGate;

    void put(FakePartition partition) {
        partitions.put(partition.topicPartition(), partition);
    }

    FakePartition get(String topic, int partition) {
        FakePartition found = partitions.get(new TopicPartition(topic, partition));
        if (found == null) {
            throw new AssertionError("not open: " + topic + "-" + partition);
        }
        return found;
    }

    void remove(String topic, int partition) {
        partitions.remove(new TopicPartition(topic, partition));
    }

    void appendFault(AppendFault fault) {
        appendFault = fault;
    }

    /** So many reads fail from now on. */
    void failReads(int count) {
        readFailures.set(count);
    }

    int reads() {
        return reads.get();
    }

    /** Reads wait for the gate. */
    void gateReads(CompletableFuture<Void> gate) {
        readGate = gate;
    }

    @Override
    public CompletionStage<Long> append(
            TopicPartition partition, int leaderEpoch, ByteBuffer batches, InTransaction transaction) {
        FakePartition target = partitions.get(partition);
        if (target == null || !target.serving() || target.leaderEpoch() != leaderEpoch) {
            return CompletableFuture.failedFuture(new NotLeaderOrFollowerException("not here"));
        }
        ByteBuffer copy = ByteBuffer.allocate(batches.remaining());
        copy.put(batches.duplicate()).flip();
        return switch (appendFault) {
            case NONE -> CompletableFuture.completedFuture(target.append(copy));
            case REFUSED -> CompletableFuture.failedFuture(new KafkaStorageException("disk full"));
            case FAILED_BUT_WRITTEN -> {
                target.append(copy);
                yield CompletableFuture.failedFuture(new KafkaStorageException("who knows"));
            }
        };
    }

    @Override
    public CompletionStage<VerificationGuard> verify(
            TopicPartition partition, TransactionVerifier.Use use, long producerId, short producerEpoch) {
        return CompletableFuture.completedFuture(VerificationGuard.SENTINEL);
    }

    @Override
    public CompletionStage<BatchRun> read(long streamId, long fromOffset, long limitOffset, int bytesMax) {
        reads.incrementAndGet();
        FakePartition source = partitions.values().stream()
                .filter(partition -> partition.streamId() == streamId)
                .findFirst()
                .orElseThrow();
        CompletableFuture<Void> gate = readGate;
        CompletableFuture<Void> open = gate == null ? CompletableFuture.completedFuture(null) : gate;
        return open.thenApply(passed -> {
            if (readFailures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                throw new IllegalStateException("store is away");
            }
            return source.read(fromOffset, limitOffset, bytesMax);
        });
    }

    @Override
    public @Nullable PartitionView find(String topic, int partition) {
        return partitions.get(new TopicPartition(topic, partition));
    }

    @Override
    public @Nullable PartitionView find(Uuid topicId, int partition) {
        return partitions.values().stream()
                .filter(view ->
                        view.topicId().equals(topicId) && view.topicPartition().partition() == partition)
                .findFirst()
                .orElse(null);
    }
}
