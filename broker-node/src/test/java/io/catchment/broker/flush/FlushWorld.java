package io.catchment.broker.flush;

import io.catchment.broker.manifest.ManifestKeeper;
import io.catchment.broker.manifest.ManifestMetrics;
import io.catchment.broker.manifest.ManifestSettings;
import io.catchment.broker.merge.MergeMeans;
import io.catchment.broker.merge.MergeMetrics;
import io.catchment.broker.merge.MergeSettings;
import io.catchment.broker.merge.Merges;
import io.catchment.broker.merge.Rewrites;
import io.catchment.broker.testing.ManualLoop;
import io.catchment.broker.testing.RuledControlPlane;
import io.catchment.broker.testing.TestBatches;
import io.catchment.broker.testing.TestProcess;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.wal.FrameKind;
import io.catchment.wal.Lane;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.Uuid;

/**
 * One node with everything around its flush, on a clock that stands still: the control plane's real rules, a bucket and a disk in memory
 * that outlive the process. The model of what was acknowledged is kept here. Owned by the test's thread.
 */
final class FlushWorld {
    static final int NODE = 1;
    static final String STORE_ID = "disk-1";
    private static final ExtentState.Store STORE = new ExtentState.Store(NODE, STORE_ID);

    static final FlushSettings SETTINGS =
            new FlushSettings(2, 1 << 20, 1 << 20, 0, 3_600_000, 500, 15_000, 4, 60_000, 25_000);

    final ManualLoop time = new ManualLoop();
    TestProcess process = new TestProcess(time);
    final RuledControlPlane control = new RuledControlPlane(time, process);
    final FaultyStore store = new FaultyStore(time, process);
    final FlushWal wal = new FlushWal(process);
    final CountingMetrics metrics = new CountingMetrics();
    final List<Long> rolls = new ArrayList<>();
    final FlushInvariants invariants = new FlushInvariants(this);

    private final SplittableRandom random;
    FlushSettings settings;
    long nodeEpoch;
    Flusher flusher;
    ObjectReaper reaper;
    Rewrites rewrites;
    boolean merging;
    int merges;
    ManifestKeeper manifests;
    int moves;
    int releases;
    BooleanSupplier readsFail = () -> false;

    /** Each acknowledged batch of a stream in offset order: the model. */
    final Map<Long, List<byte[]>> acknowledged = new HashMap<>();
    /** The newest checkpoint of a stream as it was written, by offset. */
    final Map<Long, Map<Long, byte[]>> checkpoints = new HashMap<>();

    /** What no snapshot of the state is older than. */
    long horizon = Long.MAX_VALUE;

    boolean horizonFails;
    int horizonsAsked;

    FlushWorld() {
        this(SETTINGS, 1);
    }

    FlushWorld(FlushSettings settings, long seed) {
        this.settings = settings;
        this.random = new SplittableRandom(seed);
        wal.beforeDelete(invariants::mayBeDeleted);
        boot();
    }

    private CompletionStage<Long> horizon() {
        horizonsAsked++;
        return horizonFails
                ? CompletableFuture.failedStage(new ObjectStoreException(Reason.TRANSIENT, "away", null))
                : CompletableFuture.completedStage(horizon);
    }

    /** A new life of the node: a new epoch, nothing remembered. The flush is not started yet. */
    private void boot() {
        nodeEpoch = control.now(new Command.RegisterNode(
                        NODE,
                        STORE_ID,
                        List.of(new Endpoint("PLAINTEXT", "host", 9092)),
                        "zone",
                        List.of("broker", "wal"),
                        Uuid.randomUuid()))
                .epoch();
        ObjectUploader uploader =
                new ObjectUploader(control, store, this::horizon, settings.objectTtlMs(), time::nanoTime);
        flusher = new Flusher(
                wal,
                control,
                lane -> store,
                (lane, extentId) -> rolls.add(extentId),
                NODE,
                nodeEpoch,
                settings,
                process,
                random.split(),
                metrics,
                uploader);
        reaper = new ObjectReaper(control, store, NODE, settings, process, random.split(), metrics, this::horizon);
        MergeMeans means = new MergeMeans(
                control,
                uploader,
                new PlainReader(store, () -> readsFail.getAsBoolean()),
                new UnpooledByteBufAllocator(false, true),
                Path.of(System.getProperty("java.io.tmpdir")),
                NODE,
                nodeEpoch);
        MergeSettings merging =
                new MergeSettings(2, 2_000, 20_000, 40_000, 5, 1, 1 << 30, 500, settings.objectTtlMs(), 500, 15_000);
        MergeMetrics counted = new MergeMetrics() {
            @Override
            public void merged(int streams, int ranges, long bytes) {
                merges++;
            }

            @Override
            public void failed() {}
        };
        rewrites = new Rewrites(
                List.of(new Merges(means, merging, topic -> false, topic -> false, process, counted)),
                means,
                merging,
                () -> flusher.stats().storeFailures() > 0,
                process,
                random.split());
        manifests = new ManifestKeeper(
                means,
                new ManifestSettings(2, 1, 1, 2_000, 100, 700, 10, settings.objectTtlMs(), 500, 15_000),
                topic -> true,
                () -> flusher.stats().storeFailures() > 0,
                process,
                random.split(),
                new ManifestMetrics() {
                    @Override
                    public void moved(int ranges, long manifestBytes) {
                        moves++;
                    }

                    @Override
                    public void released(int ranges) {
                        releases++;
                    }

                    @Override
                    public void failed() {}
                });
        openStreams(List.copyOf(acknowledged.keySet()));
    }

    /** This life of the node serves them; those with extents under recovery not yet. */
    private void openStreams(List<Long> streams) {
        control.now(new Command.OpenStreams(
                NODE,
                nodeEpoch,
                streams.stream()
                        .map(stream -> new Command.Claim(stream, endOffset(stream)))
                        .toList()));
    }

    FlushWorld start() {
        flusher.start();
        reaper.start();
        if (merging) {
            rewrites.start();
            manifests.start();
        }
        time.settle();
        return this;
    }

    /** The process is gone in the middle of whatever it did, and starts again: open extents of its last life are sealed by recovery. */
    void crash() {
        process.crash();
        wal.forgetMemory();
        process = new TestProcess(time);
        control.process(process);
        store.process(process);
        wal.process(process);
        boot();
        for (ExtentState extent : List.copyOf(control.image().extents())) {
            if (extent.phase() == Phase.OPEN || extent.phase() == Phase.RECOVERING) {
                long epoch = control.now(new Command.RecoverExtent(extent.extentId(), NODE, nodeEpoch))
                        .epoch();
                seal(extent.extentId(), epoch);
            } else if (extent.phase() == Phase.SEALED) {
                wal.settleNow(extent.extentId());
            }
        }
        openStreams(List.copyOf(acknowledged.keySet()));
        start();
    }

    // ---- streams and extents

    List<Long> topic(String name, int partitions) {
        control.now(new Command.CreateTopics(
                List.of(new Command.CreateTopic(name, partitions, (short) 1, Map.of())), false));
        List<Long> streams = control.image().topic(name).orElseThrow().streams();
        streams.forEach(stream -> acknowledged.put(stream, new ArrayList<>()));
        openStreams(streams);
        return streams;
    }

    void deleteTopic(String name) {
        var topic = control.image().topic(name).orElseThrow();
        control.now(new Command.DeleteTopics(List.of(topic.topicId())));
        topic.streams().forEach(stream -> {
            acknowledged.remove(stream);
            checkpoints.remove(stream);
        });
    }

    /** As retention or DeleteRecords would. */
    void trim(long stream, long logStartOffset) {
        control.now(new Command.TrimStreams(NODE, nodeEpoch, List.of(new Command.Trim(stream, logStartOffset))));
    }

    long openExtent(Lane lane) {
        long id = control.now(new Command.CreateExtent(NODE, nodeEpoch, lane.id()))
                .extentId();
        wal.create(id);
        return id;
    }

    /** A batch of records of this size at the stream's end, acknowledged. */
    void append(long extentId, long stream, int records, int valueBytes) {
        long base = endOffset(stream);
        byte[] batch = TestBatches.batch(base, records, valueBytes);
        acknowledged.get(stream).add(batch);
        wal.write(extentId, FrameKind.DATA, stream, base, records, time.wallClockMs(), batch);
    }

    void checkpoint(long extentId, long stream) {
        long offset = endOffset(stream);
        byte[] payload = ByteBuffer.allocate(16).putLong(stream).putLong(offset).array();
        checkpoints.computeIfAbsent(stream, id -> new HashMap<>()).put(offset, payload);
        wal.write(extentId, FrameKind.CHECKPOINT, stream, offset, 0, time.wallClockMs(), payload);
    }

    void noop(long extentId) {
        wal.write(extentId, FrameKind.NOOP, 0, 0, 0, time.wallClockMs(), new byte[8]);
    }

    void seal(long extentId) {
        seal(extentId, nodeEpoch);
    }

    private void seal(long extentId, long epoch) {
        wal.settleNow(extentId);
        recordSeal(extentId, epoch);
    }

    /** The control plane has the length before the disk has taken note of it. */
    void recordSeal(long extentId, long epoch) {
        control.now(new Command.SealExtent(extentId, epoch, wal.fileLength(extentId), List.of(STORE)));
    }

    /** An extent with one batch for each stream, and a checkpoint for each behind, sealed. */
    long sealed(Lane lane, int valueBytes, long... streams) {
        long id = openExtent(lane);
        for (long stream : streams) {
            append(id, stream, 3, valueBytes);
        }
        for (long stream : streams) {
            checkpoint(id, stream);
        }
        seal(id);
        return id;
    }

    long endOffset(long stream) {
        List<byte[]> batches = acknowledged.get(stream);
        return batches.isEmpty() ? 0 : TestBatches.endOffset(batches.get(batches.size() - 1));
    }

    // ---- looking

    int works() {
        return merges + moves + releases;
    }

    /** FLUSHED, or already gone. */
    boolean flushed(long extentId) {
        return control.image()
                .extent(extentId)
                .map(extent -> extent.phase() == Phase.FLUSHED)
                .orElse(true);
    }

    boolean allFlushed() {
        return control.image().extents().stream().noneMatch(extent -> extent.phase() == Phase.SEALED);
    }

    /** Order in which extents were published. */
    List<Long> published() {
        return control.submitted(Command.PublishFlush.class).stream()
                .map(Command.PublishFlush::extentId)
                .distinct()
                .toList();
    }

    static final class CountingMetrics implements FlushMetrics {
        final Map<Stage, Integer> failures = new HashMap<>();
        int published;
        int deleted;
        int reaped;

        @Override
        public void published(Lane lane, long objectBytes, long nanos) {
            published++;
        }

        @Override
        public void failed(Stage stage) {
            failures.merge(stage, 1, Integer::sum);
        }

        @Override
        public void deleted(int extents, long bytes) {
            deleted += extents;
        }

        @Override
        public void reaped(int objects) {
            reaped += objects;
        }

        int failures(Stage stage) {
            return failures.getOrDefault(stage, 0);
        }
    }
}
