package io.catchment.broker.partition;

import io.catchment.broker.read.StreamExtents;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.topic.TopicConfigs;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.ObjectReader;
import io.catchment.wal.Wal;
import io.catchment.wal.WalListener;
import io.netty.channel.EventLoop;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open partitions of this node: opens the streams the image says it owns, closes those it no longer does. Opening and
 * closing are owned by one thread of its own; lookups are lock-free from any thread.
 */
public final class OwnedPartitions implements PartitionDirectory, InternalLog, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(OwnedPartitions.class);
    private static final long COMMAND_TIMEOUT_MS = 60_000;
    private static final long RETRY_MS = 500;
    private static final long RETRY_MAX_MS = 15_000;
    /** Of streams at a time: enough to hide an object store's latency, few enough to leave it to others too. */
    private static final int READS_MAX = 32;

    private static final long READ_TIMEOUT_MS = 60_000;
    private static final int LOUD_FAILURES_MAX = 5;
    /** One command each; below what the control plane takes in one. */
    private static final int OPEN_AT_A_TIME = 5_000;

    private static final long EXPIRY_CHECK_MS = 600_000;
    private static final long CLOSE_TIMEOUT_MS = 5_000;

    private final Dependencies to;
    private final PartitionServices services;
    private final PartitionLoop[] loops;
    private final PartitionWalListener walListener;
    private final ProducerStateManagerConfig producerConfig;
    private final ScheduledExecutorService opener;
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();

    /** By stream; owned by the opener thread. */
    private final Map<Long, Partition> open = new HashMap<>();
    /** Before the next try; owned by the opener thread. */
    private long retryMs = RETRY_MS;

    private final Map<String, Partition[]> byName = new ConcurrentHashMap<>();
    private final Map<Uuid, Partition[]> byId = new ConcurrentHashMap<>();
    private volatile long nodeEpoch = -1;
    private volatile int openCount;

    /** What this needs, wired once. */
    public record Dependencies(
            int nodeId,
            Wal wal,
            ControlPlane controlPlane,
            StreamReader reader,
            ObjectReader objects,
            TopicConfigs configs,
            ArrivalObserver arrivals,
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
        this.services = new PartitionServices(to.wal(), to.configs()::forTopic, faults, to.arrivals(), to.time());
        this.loops = eventLoops.stream()
                .map(eventLoop -> new PartitionLoop(eventLoop, services, to.tailBytesMax() / eventLoops.size()))
                .toArray(PartitionLoop[]::new);
        this.walListener = new PartitionWalListener(loops, to.wal(), faults);
        this.producerConfig = new ProducerStateManagerConfig(to.producerIdExpirationMs(), true);
        this.opener = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "partition-opener");
            thread.setDaemon(true);
            return thread;
        });
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
    public CompletionStage<Void> start(long epoch) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        nodeEpoch = epoch;
        opener.execute(() -> {
            try {
                reconcile(to.controlPlane().image().streams());
                done.complete(null);
            } catch (Throwable e) {
                done.completeExceptionally(e);
                throw e;
            }
        });
        to.controlPlane().subscribe(this::changed);
        later(EXPIRY_CHECK_MS, this::expireProducers);
        return done;
    }

    public int openCount() {
        return openCount;
    }

    private void changed(ImageDelta delta, ClusterImage image) {
        if (!delta.streams().isEmpty() && !opener.isShutdown()) {
            later(0, () -> {
                List<StreamState> present = new ArrayList<>();
                for (long streamId : delta.streams()) {
                    image.stream(streamId)
                            .ifPresentOrElse(present::add, () -> close(streamId, Errors.UNKNOWN_TOPIC_OR_PARTITION));
                }
                reconcile(present);
            });
        }
    }

    // ---- opening and closing, on the opener's thread

    private void reconcile(Collection<StreamState> streams) {
        List<StreamState> toOpen = new ArrayList<>();
        for (StreamState stream : streams) {
            Partition partition = open.get(stream.streamId());
            if (stream.ownerNodeId() != to.nodeId()) {
                close(stream.streamId(), Errors.NOT_LEADER_OR_FOLLOWER);
            } else if (partition == null) {
                toOpen.add(stream);
            }
        }
        for (int from = 0; from < toOpen.size(); from += OPEN_AT_A_TIME) {
            openAll(toOpen.subList(from, Math.min(from + OPEN_AT_A_TIME, toOpen.size())));
        }
    }

    private void openAll(List<StreamState> streams) {
        long startedMs = to.time().milliseconds();
        StreamOpening opening = new StreamOpening(
                new StreamOpening.Owner(to.nodeId(), nodeEpoch),
                new StreamOpening.Sources(StreamExtents.alone(to.wal()), to.reader(), to.objects()),
                producerConfig,
                to.time(),
                to.controlPlane()::image);
        List<StreamState> failed = new ArrayList<>();
        List<StreamOpening.Found> found = new OpeningRound(opening, READS_MAX, READ_TIMEOUT_MS, to.time())
                .find(streams, (stream, failure) -> {
                    failed.add(stream);
                    unavailable(stream, failed.size(), failure);
                });
        if (failed.size() > LOUD_FAILURES_MAX) {
            log.error("{} streams in all cannot be opened and are unavailable", failed.size());
        }
        try {
            claim(found);
            log.info("Opened {} partitions in {} ms", found.size(), to.time().milliseconds() - startedMs);
        } catch (CommandException e) {
            if (e.reason() == CommandException.Reason.FENCED) {
                log.error(
                        "This node's epoch {} is over: it serves nothing until it is restarted: {}",
                        nodeEpoch,
                        e.getMessage());
                return;
            }
            log.warn("Opening {} partitions will be tried again: {}", streams.size(), e.getMessage());
            retry(streams);
            return;
        }
        if (failed.isEmpty()) {
            retryMs = RETRY_MS;
        } else {
            retry(failed);
        }
    }

    private static void unavailable(StreamState stream, int number, Throwable failure) {
        if (number <= LOUD_FAILURES_MAX) {
            log.error(
                    "Stream {} ({}-{}) cannot be opened and is unavailable: {}",
                    stream.streamId(),
                    stream.topic(),
                    stream.partition(),
                    failure.getMessage(),
                    failure);
        }
    }

    /** With growing waits, all streams together: a store that is away must not be stormed by thousands of them. */
    private void retry(List<StreamState> streams) {
        long waitMs = retryMs;
        retryMs = Math.min(2 * retryMs, RETRY_MAX_MS);
        later(waitMs, () -> {
            ClusterImage image = to.controlPlane().image();
            List<StreamState> still = new ArrayList<>();
            streams.forEach(stream -> image.stream(stream.streamId()).ifPresent(still::add));
            reconcile(still);
        });
    }

    private void claim(List<StreamOpening.Found> found) {
        List<Command.Claim> claims = found.stream()
                .map(stream -> new Command.Claim(stream.stream().streamId(), stream.endOffset()))
                .toList();
        Map<Long, Integer> epochs =
                await(to.controlPlane().submit(new Command.OpenStreams(to.nodeId(), nodeEpoch, claims)));
        ClusterImage image = to.controlPlane().image();
        List<Partition> opened = new ArrayList<>(found.size());
        for (StreamOpening.Found stream : found) {
            Integer epoch = epochs.get(stream.stream().streamId());
            StreamState now = image.stream(stream.stream().streamId()).orElse(null);
            if (epoch != null && now != null) {
                opened.add(open(stream, now, epoch));
            }
        }
        publish(opened);
    }

    private Partition open(StreamOpening.Found found, StreamState now, int epoch) {
        OpenedStream stream = new OpenedStream(
                new TopicPartition(now.topic(), now.partition()),
                now.topicId(),
                now.streamId(),
                epoch,
                now.logStartOffset(),
                found.endOffset(),
                now.epochStarts().stream()
                        .map(start -> new PartitionView.EpochStart(start.epoch(), start.startOffset()))
                        .toList());
        PartitionLoop loop = loops[(int) Math.floorMod(now.streamId(), (long) loops.length)];
        Partition partition = new Partition(stream, found.producers(), loop);
        open.put(now.streamId(), partition);
        return partition;
    }

    /** Makes partitions findable only after their loops know them. */
    private void publish(List<Partition> opened) {
        for (PartitionLoop loop : loops) {
            List<Partition> mine = opened.stream()
                    .filter(partition -> partition.loop() == loop)
                    .toList();
            if (!mine.isEmpty()) {
                await(CompletableFuture.runAsync(() -> mine.forEach(loop::add), loop.eventLoop()));
            }
        }
        Map<TopicKey, List<Partition>> byTopic = new HashMap<>();
        for (Partition partition : opened) {
            byTopic.computeIfAbsent(
                            new TopicKey(partition.topicPartition().topic(), partition.topicId()),
                            key -> new ArrayList<>())
                    .add(partition);
        }
        byTopic.forEach((topic, partitions) -> {
            Partition[] merged = merge(byId.get(topic.id()), partitions);
            byId.put(topic.id(), merged);
            byName.put(topic.name(), merged);
        });
        openCount = open.size();
        for (Partition partition : opened) {
            listeners.forEach(listener -> listener.opened(partition));
        }
    }

    private record TopicKey(String name, Uuid id) {}

    private static Partition[] merge(Partition @Nullable [] present, List<Partition> added) {
        int size = present == null ? 0 : present.length;
        for (Partition partition : added) {
            size = Math.max(size, partition.topicPartition().partition() + 1);
        }
        Partition[] merged = present == null ? new Partition[size] : java.util.Arrays.copyOf(present, size);
        for (Partition partition : added) {
            merged[partition.topicPartition().partition()] = partition;
        }
        return merged;
    }

    private void close(long streamId, Errors error) {
        Partition partition = open.remove(streamId);
        if (partition == null) {
            return;
        }
        Uuid topicId = partition.topicId();
        String topic = partition.topicPartition().topic();
        Partition[] present = byId.get(topicId);
        if (present != null) {
            Partition[] without = present.clone();
            without[partition.topicPartition().partition()] = null;
            boolean empty = java.util.Arrays.stream(without).allMatch(java.util.Objects::isNull);
            if (empty) {
                byId.remove(topicId);
                byName.remove(topic, present);
            } else {
                byId.put(topicId, without);
                byName.replace(topic, present, without);
            }
        }
        openCount = open.size();
        PartitionLoop loop = partition.loop();
        loop.eventLoop().execute(() -> loop.remove(partition, error));
        listeners.forEach(listener -> listener.closed(partition));
    }

    private void expireProducers() {
        for (PartitionLoop loop : loops) {
            loop.eventLoop().execute(loop::expireProducers);
        }
        later(EXPIRY_CHECK_MS, this::expireProducers);
    }

    private void later(long delayMs, Runnable task) {
        var unused = opener.schedule(() -> guarded(task), delayMs, TimeUnit.MILLISECONDS);
    }

    /** A scheduled task's exception would vanish in its future. */
    private static void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            log.error("Opening partitions failed: {}", e.getMessage(), e);
        }
    }

    private static <T> T await(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(COMMAND_TIMEOUT_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandException(CommandException.Reason.UNCERTAIN, "interrupted");
        } catch (TimeoutException e) {
            throw new CommandException(CommandException.Reason.UNCERTAIN, "no answer in " + COMMAND_TIMEOUT_MS + " ms");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof CommandException command) {
                throw command;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    // ---- lookups

    @Override
    public @Nullable PartitionView find(String topic, int partition) {
        return at(byName.get(topic), partition);
    }

    @Override
    public @Nullable PartitionView find(Uuid topicId, int partition) {
        return at(byId.get(topicId), partition);
    }

    private static @Nullable Partition at(Partition @Nullable [] partitions, int index) {
        return partitions == null || index < 0 || index >= partitions.length ? null : partitions[index];
    }

    // ---- appends

    /**
     * Appends a client's batch on the partition's own event loop: at once when called on it, else as a task. The view's memory
     * belongs to {@code owner}, which is retained meanwhile.
     */
    public void append(
            PartitionView view,
            ByteBuffer batch,
            io.netty.util.ReferenceCounted owner,
            @Nullable AppendCompletion completion,
            int slot,
            long nowMs) {
        ((Partition) view).append(batch, owner, AppendOrigin.CLIENT, completion, slot, nowMs);
    }

    /** Where {@link #append} must be called for this partition. */
    public EventLoop eventLoop(PartitionView view) {
        return ((Partition) view).loop().eventLoop();
    }

    @Override
    public CompletionStage<Long> append(TopicPartition topicPartition, int leaderEpoch, ByteBuffer batches) {
        Partition partition = (Partition) find(topicPartition.topic(), topicPartition.partition());
        if (partition == null || (leaderEpoch >= 0 && partition.leaderEpoch() != leaderEpoch)) {
            return CompletableFuture.failedFuture(new NotLeaderOrFollowerException(
                    topicPartition + " is not served here in leader epoch " + leaderEpoch));
        }
        ByteBuffer copy = ByteBuffer.allocate(batches.remaining());
        copy.put(batches.duplicate()).flip();
        CompletableFuture<Long> end = new CompletableFuture<>();
        partition.loop().eventLoop().execute(() -> partition.appendInternal(copy, end));
        return end;
    }

    /** Every partition ends; its tail's buffers are released before this returns, unless an event loop hangs. */
    @Override
    public void close() {
        opener.shutdownNow();
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
