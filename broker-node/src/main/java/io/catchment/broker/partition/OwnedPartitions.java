package io.catchment.broker.partition;

import io.catchment.broker.leader.Leader;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.read.StreamExtents;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.topic.TopicConfigs;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import io.catchment.objectstore.ObjectReader;
import io.catchment.wal.Wal;
import io.catchment.wal.WalListener;
import io.netty.channel.EventLoop;
import io.netty.util.ReferenceCounted;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open partitions of this node in one of its epochs: lookups and appends, lock-free from any thread. Which streams are open is
 * {@link Ownership}'s.
 */
public final class OwnedPartitions implements PartitionDirectory, InternalLog, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(OwnedPartitions.class);
    /** Of streams at a time: enough to hide an object store's latency, few enough to leave it to others too. */
    private static final int READS_MAX = 32;

    private static final long READ_TIMEOUT_MS = 60_000;
    private static final long EXPIRY_CHECK_MS = 600_000;
    private static final long CLOSE_TIMEOUT_MS = 5_000;

    private final Dependencies to;
    private final PartitionLoop[] loops;
    private final PartitionWalListener walListener;
    private final ProducerStateManagerConfig producerConfig;
    private final SerialLoop opener = new SerialThread("partition-opener");
    private final SerialLoop finder = new SerialThread("partition-finder");
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private final PartitionTable table = new PartitionTable();
    /** A hand-over takes milliseconds; the image shows it when the last owner has done its part. */
    private static final long HANDED_OVER_PATIENCE_MS = 1_000;
    /** What the recovery of a killed node's extents takes, and reading the streams' ends. */
    private static final long TAKEN_OVER_PATIENCE_MS = 500;

    private final EarlyRequests early = new EarlyRequests();
    private volatile @Nullable Ownership ownership;

    /** What this needs, wired once. */
    public record Dependencies(
            int nodeId,
            Wal wal,
            StreamExtents extents,
            ControlPlane controlPlane,
            StreamReader reader,
            ObjectReader objects,
            TopicConfigs configs,
            ArrivalObserver arrivals,
            TransactionVerifier verifier,
            Time time,
            long tailBytesMax,
            int producerIdExpirationMs) {}

    /** Hears, on the opener's thread, which partitions this node serves. */
    public interface Listener {
        void opened(PartitionView partition);

        void closed(PartitionView partition);
    }

    public OwnedPartitions(List<EventLoop> eventLoops, Dependencies to) {
        this.to = to;
        LaneFaults faults = new LaneFaults();
        ServingRight right = new ServingRight();
        PartitionServices services = new PartitionServices(
                to.wal(), to.configs()::forTopic, faults, right, to.arrivals(), to.verifier(), to.time());
        this.loops = eventLoops.stream()
                .map(eventLoop -> new PartitionLoop(eventLoop, services, to.tailBytesMax() / eventLoops.size()))
                .toArray(PartitionLoop[]::new);
        this.walListener = new PartitionWalListener(loops, to.wal(), faults, right);
        this.producerConfig = new ProducerStateManagerConfig(to.producerIdExpirationMs(), true);
    }

    /** To be told of everything the WAL reports, from before the first append on. */
    public WalListener walListener() {
        return walListener;
    }

    public void addListener(Listener listener) {
        listeners.add(listener);
    }

    /**
     * Begins to serve in this node epoch: opens all streams the image gives to this node, then follows the image. The stage is
     * done when the first round of openings is.
     */
    public CompletionStage<Void> start(long nodeEpoch) {
        Ownership started = new Ownership(
                to.nodeId(),
                nodeEpoch,
                to.controlPlane(),
                opener,
                finder,
                (streams, failures) -> find(nodeEpoch, streams, failures),
                new LoopOpenings());
        ownership = started;
        opener.schedule(this::expireProducers, EXPIRY_CHECK_MS);
        return started.start();
    }

    public int openCount() {
        Ownership started = ownership;
        return started == null ? 0 : started.openCount();
    }

    private List<StreamOpening.Found> find(long nodeEpoch, List<StreamState> streams, Ownership.Failures failures) {
        StreamOpening opening = new StreamOpening(
                new StreamOpening.Owner(to.nodeId(), nodeEpoch),
                new StreamOpening.Sources(to.extents(), to.reader(), to.objects()),
                producerConfig,
                to.time(),
                to.controlPlane()::image);
        return new OpeningRound(opening, READS_MAX, READ_TIMEOUT_MS, to.time()).find(streams, failures::failed);
    }

    private final class LoopOpenings implements Ownership.Openings {
        @Override
        public Partition open(StreamOpening.Found found, StreamState now) {
            OpenedStream stream = new OpenedStream(
                    new TopicPartition(now.topic(), now.partition()),
                    now.topicId(),
                    now.streamId(),
                    now.epoch(),
                    now.logStartOffset(),
                    now.cleanedTo(),
                    found.endOffset(),
                    PartitionView.epochStarts(now));
            PartitionLoop loop = loops[(int) Math.floorMod(now.streamId(), (long) loops.length)];
            return new Partition(stream, found.producers(), loop);
        }

        /** Partitions are findable only after their loops know them. */
        @Override
        public CompletionStage<Void> settle(List<Partition> opened) {
            List<CompletableFuture<Void>> settling = new ArrayList<>();
            for (PartitionLoop loop : loops) {
                List<Partition> mine = opened.stream()
                        .filter(partition -> partition.loop() == loop)
                        .toList();
                if (!mine.isEmpty()) {
                    settling.add(CompletableFuture.runAsync(() -> mine.forEach(loop::add), loop.eventLoop()));
                }
            }
            return CompletableFuture.allOf(settling.toArray(CompletableFuture<?>[]::new));
        }

        @Override
        public void publish(List<Partition> opened) {
            early.served(opened, () -> table.add(opened));
            for (Partition partition : opened) {
                tell(listener -> listener.opened(partition));
            }
        }

        @Override
        public void close(Partition partition, Errors error) {
            table.remove(partition);
            PartitionLoop loop = partition.loop();
            loop.eventLoop().execute(() -> loop.remove(partition, error));
            tell(listener -> listener.closed(partition));
        }

        /** Each, whatever another makes of it. */
        private void tell(Consumer<Listener> news) {
            for (Listener listener : listeners) {
                try {
                    news.accept(listener);
                } catch (RuntimeException | Error e) {
                    log.error("A listener did not take that a partition was opened or closed: {}", e, e);
                }
            }
        }
    }

    private void expireProducers() {
        for (PartitionLoop loop : loops) {
            loop.eventLoop().execute(loop::expireProducers);
        }
        opener.schedule(this::expireProducers, EXPIRY_CHECK_MS);
    }

    // ---- lookups

    @Override
    public @Nullable PartitionView find(String topic, int partition) {
        return table.find(topic, partition);
    }

    @Override
    public @Nullable PartitionView find(Uuid topicId, int partition) {
        return table.find(topicId, partition);
    }

    /**
     * For a request to a partition that {@link #find} does not find: when the stream is this node's, and so about to be served (clients are told
     * that it leads it), completes with the partition; before the opener's thread makes it findable. Null when it is not to be waited for. Who has
     * no patience any more completes it exceptionally.
     *
     * <p>Answers behind it on its connection wait as well. So a stream that was taken over is waited for only while it has just been: the end of one whose
     * extents cannot be recovered now may not be known for hours.
     */
    public @Nullable Awaited awaitServed(TopicState topic, int partition) {
        ClusterImage image = to.controlPlane().image();
        StreamState stream = image.stream(topic.streams().get(partition)).orElse(null);
        NodeState self = image.node(to.nodeId()).orElse(null);
        if (stream == null || self == null || stream.ownerNodeId() != to.nodeId() || !Leader.isNamed(stream, self)) {
            return null;
        }
        long patienceMs = HANDED_OVER_PATIENCE_MS;
        if (!Leader.isOpen(stream, self)) {
            Ownership present = ownership;
            patienceMs = present == null
                    ? 0
                    : TAKEN_OVER_PATIENCE_MS - present.hindrances().sinceMs(stream.streamId());
        }
        CompletableFuture<PartitionView> served =
                patienceMs <= 0 ? null : early.await(stream.streamId(), () -> table.find(topic.topicId(), partition));
        return served == null ? null : new Awaited(served, patienceMs);
    }

    /** @param patienceMs for how long it is worth waiting for */
    public record Awaited(CompletableFuture<PartitionView> partition, long patienceMs) {}

    // ---- appends

    /**
     * Appends a client's batch on the partition's own event loop: at once when called on it, else as a task. The view's memory
     * belongs to {@code owner}, which is retained meanwhile.
     */
    public void append(
            PartitionView view,
            ByteBuffer batch,
            ReferenceCounted owner,
            @Nullable AppendCompletion completion,
            int slot,
            long nowMs) {
        ((Partition) view).append(batch, owner, AppendOrigin.CLIENT, completion, slot, nowMs);
    }

    /** Where {@link #append} must be called for this partition. */
    public EventLoop eventLoop(PartitionView view) {
        return ((Partition) view).loop().eventLoop();
    }

    /** The same for a batch of a transaction, once the coordinator has this partition as part of that. */
    public void appendInTransaction(
            PartitionView view,
            ByteBuffer batch,
            ReferenceCounted owner,
            TransactionVerifier.Use use,
            @Nullable AppendCompletion completion,
            int slot,
            long nowMs) {
        ((Partition) view).appendInTransaction(new Unverified.Batch(batch, owner, use, completion, slot, nowMs));
    }

    @Override
    public CompletionStage<Long> append(
            TopicPartition topicPartition, int leaderEpoch, ByteBuffer batches, InTransaction transaction) {
        Partition partition = table.find(topicPartition.topic(), topicPartition.partition());
        if (partition == null || (leaderEpoch >= 0 && partition.leaderEpoch() != leaderEpoch)) {
            return CompletableFuture.failedFuture(new NotLeaderOrFollowerException(
                    topicPartition + " is not served here in leader epoch " + leaderEpoch));
        }
        ByteBuffer copy = ByteBuffer.allocate(batches.remaining());
        copy.put(batches.duplicate()).flip();
        CompletableFuture<Long> end = new CompletableFuture<>();
        partition.loop().eventLoop().execute(() -> partition.appendInternal(copy, transaction, end));
        return end;
    }

    @Override
    public CompletionStage<VerificationGuard> verify(
            TopicPartition topicPartition, TransactionVerifier.Use use, long producerId, short producerEpoch) {
        Partition partition = table.find(topicPartition.topic(), topicPartition.partition());
        if (partition == null) {
            return CompletableFuture.failedFuture(
                    new NotLeaderOrFollowerException(topicPartition + " is not served here"));
        }
        return CompletableFuture.supplyAsync(
                        () -> partition.verify(use, producerId, producerEpoch),
                        partition.loop().eventLoop())
                .thenCompose(verification -> verification)
                .thenApply(outcome -> {
                    if (outcome.error() != Errors.NONE) {
                        throw outcome.error().exception();
                    }
                    return outcome.guard();
                });
    }

    /** What is known of the producers that write to the partition. */
    public CompletionStage<Collection<ProducerStateEntry>> producers(PartitionView view) {
        Partition partition = (Partition) view;
        return CompletableFuture.supplyAsync(
                partition::producers, partition.loop().eventLoop());
    }

    /** Every partition ends; its tail's buffers are released before this returns, unless an event loop hangs. */
    @Override
    public void close() {
        Ownership started = ownership;
        if (started != null) {
            started.end();
        }
        opener.close();
        finder.close();
        List<CompletableFuture<Void>> closing = new ArrayList<>();
        for (PartitionLoop loop : loops) {
            if (!loop.eventLoop().isShuttingDown()) {
                closing.add(CompletableFuture.runAsync(
                        () -> loop.closeAll(Errors.NOT_LEADER_OR_FOLLOWER), loop.eventLoop()));
            }
        }
        try {
            CompletableFuture.allOf(closing.toArray(CompletableFuture<?>[]::new))
                    .get(CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            log.warn("Not all partitions could be closed: {}", e.toString());
        }
    }
}
