package io.catchment.broker.compaction;

import io.catchment.broker.batch.BatchHeader;
import io.catchment.broker.flush.ObjectUploader;
import io.catchment.broker.flush.ReapHorizon;
import io.catchment.broker.merge.MergeMeans;
import io.catchment.broker.merge.MergeMetrics;
import io.catchment.broker.merge.MergeSettings;
import io.catchment.broker.merge.Merges;
import io.catchment.broker.merge.Rewrites;
import io.catchment.broker.testing.ManualLoop;
import io.catchment.broker.testing.RuledControlPlane;
import io.catchment.broker.testing.RulesControlPlane;
import io.catchment.broker.testing.TestBatches;
import io.catchment.broker.testing.TestProcess;
import io.catchment.broker.topic.TopicConfig;
import io.catchment.broker.topic.TopicConfigs;
import io.catchment.broker.topic.TopicSchema;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.BundleBuilder;
import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.ObjectBytes;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.bundle.BundleWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * One stream of a compacted topic with its published ranges, the control plane's real rules, and nodes that merge and compact what they own, on a clock
 * that stands still. Owned by the test's thread.
 */
final class CompactionWorld {
    static final long OBJECT_TTL_MS = 3_600_000;
    private static final int LOOK_MS = 2_000;

    final ManualLoop time = new ManualLoop();
    final RuledControlPlane control = new RuledControlPlane(time, new TestProcess(time));
    final Store store = new Store();
    final ObjectUploader uploader = new ObjectUploader(control, store, ReapHorizon.ALL, OBJECT_TTL_MS, time::nanoTime);
    final Map<Integer, Node> nodes = new HashMap<>();
    final SplittableRandom random;
    CompactionSettings settings;
    MergeSettings merges =
            new MergeSettings(3, 750, 1_500, 3_000, 1_000, 1, 1 << 30, LOOK_MS, OBJECT_TTL_MS, 500, 60_000);
    TopicConfig config;
    BooleanSupplier readsFail = () -> false;
    BooleanSupplier putsFail = () -> false;
    int passes;
    final long streamId;

    CompactionWorld(SplittableRandom random, CompactionSettings settings, Map<String, String> topic) {
        this.random = random;
        this.settings = settings;
        config(topic);
        boot(1);
        control.now(new Command.CreateTopics(List.of(new Command.CreateTopic("topic", 1, (short) 1, Map.of())), false));
        streamId = control.image().topic("topic").orElseThrow().streams().get(0);
        open(1, 0);
    }

    void config(Map<String, String> topic) {
        RulesControlPlane plane = new RulesControlPlane();
        plane.register(1);
        plane.now(new Command.CreateTopics(
                List.of(new Command.CreateTopic("topic", 1, (short) 1, topic, List.of(1))), false));
        config = TopicConfigs.of(plane, new TopicSchema(Map.of())).forTopic("topic");
    }

    /** A process with its epoch. */
    final class Node {
        final int id;
        final long epoch;
        final TestProcess process = new TestProcess(time);

        Node(int id) {
            this.id = id;
            this.epoch = control.now(new Command.RegisterNode(
                            id,
                            "disk-" + id,
                            List.of(new Endpoint("PLAINTEXT", "host", 9092)),
                            "zone",
                            List.of("broker", "wal"),
                            new Uuid(id, random.nextLong())))
                    .epoch();
            MergeMeans means = new MergeMeans(
                    control,
                    uploader,
                    new Reader(),
                    new UnpooledByteBufAllocator(false, true),
                    Path.of(System.getProperty("java.io.tmpdir")),
                    id,
                    epoch);
            Compactions compactions =
                    new Compactions(means, merges, settings, name -> config, process, new CompactionMetrics() {
                        @Override
                        public void dirtiest(double ratio) {}

                        @Override
                        public void read(long bytes) {}

                        @Override
                        public void written(int ranges, long bytes, long records) {}

                        @Override
                        public void passed() {
                            passes++;
                        }

                        @Override
                        public void failed() {}
                    });
            new Rewrites(
                            List.of(
                                    new Merges(
                                            means,
                                            merges,
                                            name -> false,
                                            name -> config.deletes(),
                                            process,
                                            MergeMetrics.NONE),
                                    compactions),
                            means,
                            merges,
                            () -> false,
                            process,
                            random.split())
                    .start();
        }
    }

    /** A new life of the node: nothing is remembered. */
    void boot(int id) {
        Node before = nodes.get(id);
        if (before != null) {
            before.process.crash();
        }
        nodes.put(id, new Node(id));
    }

    void open(int id, long endOffset) {
        control.now(new Command.OpenStreams(id, nodes.get(id).epoch, List.of(new Command.Claim(streamId, endOffset))));
    }

    StreamState stream() {
        return control.image().stream(streamId).orElseThrow();
    }

    Node owner() {
        return nodes.get(stream().ownerNodeId());
    }

    /** As a flush of the owner does, with a checkpoint at the end. */
    void publish(List<byte[]> batches, long base, long end) {
        Node owner = owner();
        long extent =
                control.now(new Command.CreateExtent(owner.id, owner.epoch, 1)).extentId();
        control.now(new Command.SealExtent(
                extent, owner.epoch, 1_000, List.of(new ExtentState.Store(owner.id, "disk-" + owner.id))));
        BundleWriter writer = new BundleWriter(UnpooledByteBufAllocator.DEFAULT);
        writer.stream(streamId);
        long from = base;
        for (byte[] batch : batches) {
            long to = TestBatches.endOffset(batch);
            writer.payload(from, to, TestBatches.maxTimestamp(batch), time.wallClockMs(), Unpooled.copiedBuffer(batch));
            from = to;
        }
        writer.checkpoint(end, Unpooled.copiedBuffer(new byte[5]));
        BundleBuilder.Built built = writer.build();
        long object = control.now(new Command.PrepareObjects(owner.id, owner.epoch, 1, 3_600_000))
                .get(0);
        int bytes = built.body().readableBytes();
        store.keep(object, built.body());
        control.now(new Command.PublishFlush(
                owner.id,
                owner.epoch,
                extent,
                object,
                bytes,
                built.ranges().stream()
                        .map(range -> new Command.NewRange(
                                range.streamId(),
                                range.baseOffset(),
                                range.endOffset(),
                                range.position(),
                                range.length(),
                                range.maxEventTimeMs(),
                                range.maxAppendTimeMs()))
                        .toList(),
                built.checkpoints().stream()
                        .map(each -> new Command.NewCheckpoint(
                                each.streamId(), each.offset(), each.position(), each.length()))
                        .toList()));
    }

    /** The stream goes to the other node, which is registered; its former owner goes on with what it is about. */
    void move(int to, long endOffset) {
        Node owner = owner();
        control.now(new Command.MoveStreams(List.of(new Command.Move(streamId, to)), false));
        control.now(new Command.ResignStreams(
                owner.id, owner.epoch, List.of(new Command.Resignation(streamId, endOffset, 0, 0, 0))));
    }

    void trim(long offset) {
        Node owner = owner();
        control.now(new Command.TrimStreams(owner.id, owner.epoch, List.of(new Command.Trim(streamId, offset))));
    }

    /** Long enough for whatever is due to be done, without faults: streams that could not be read rest for ten minutes. */
    void settle() {
        time.pass(20 * LOOK_MS);
        time.pass(610_000);
        int before;
        do {
            before = passes;
            time.pass(20 * LOOK_MS);
        } while (passes != before);
    }

    /** All published records; checks on the way that ranges and batches are in order. */
    List<LoggedRecord> records() {
        List<LoggedRecord> records = new ArrayList<>();
        for (StreamRange range : stream().catalog()) {
            byte[] bytes = store.bytes(range);
            long next = range.baseOffset();
            ByteBuffer nio = ByteBuffer.wrap(bytes);
            for (int at = 0; at < bytes.length; ) {
                long base = BatchHeader.baseOffset(nio, at);
                if (base < next) {
                    throw new AssertionError("batch " + base + " after " + next + " in " + range);
                }
                next = BatchHeader.lastOffset(nio, at) + 1;
                at += BatchHeader.sizeInBytes(nio, at);
            }
            if (next != range.endOffset()) {
                throw new AssertionError("the last batch ends at " + next + " in " + range);
            }
            records.addAll(LoggedRecord.of(bytes));
        }
        return records;
    }

    /** In memory, with puts that fail, some of them after they took effect. */
    final class Store implements ObjectStore {
        private final Map<String, byte[]> objects = new HashMap<>();
        /** A put while this is set waits for it to be run. */
        boolean holds;

        @Nullable
        Runnable held;

        @Override
        public CompletionStage<Void> put(String key, ByteBuf body) {
            if (holds) {
                CompletableFuture<Void> answer = new CompletableFuture<>();
                held = () -> {
                    objects.put(key, ByteBufUtil.getBytes(body));
                    body.release();
                    answer.complete(null);
                };
                return answer;
            }
            boolean fails = putsFail.getAsBoolean();
            if (!fails || random.nextBoolean()) {
                objects.put(key, ByteBufUtil.getBytes(body));
            }
            body.release();
            return fails
                    ? CompletableFuture.failedFuture(
                            new ObjectStoreException(ObjectStoreException.Reason.TRANSIENT, "injected", null))
                    : CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletionStage<Void> putIfAbsent(String key, ByteBuf body) {
            throw new AssertionError("not needed here");
        }

        @Override
        public CompletionStage<ByteBuf> get(String key, long position, int length) {
            return CompletableFuture.completedFuture(Unpooled.copiedBuffer(objects.get(key), (int) position, length));
        }

        @Override
        public CompletionStage<Void> delete(List<String> keys) {
            keys.forEach(objects::remove);
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletionStage<List<Listed>> list(String prefix) {
            throw new AssertionError("not needed here");
        }

        @Override
        public void close() {}

        void keep(long objectId, ByteBuf body) {
            objects.put(ObjectKeys.key(objectId), ByteBufUtil.getBytes(body));
            body.release();
        }

        Set<String> keys() {
            return objects.keySet();
        }

        byte[] bytes(StreamRange range) {
            byte[] object = objects.get(ObjectKeys.key(range.objectId()));
            return Arrays.copyOfRange(object, (int) range.position(), (int) range.position() + range.length());
        }
    }

    private final class Reader implements ObjectBytes {
        @Override
        public CompletionStage<Manifest> manifest(long objectId, long objectBytes) {
            throw new AssertionError("compaction reads no manifest");
        }

        @Override
        public CompletionStage<ByteBuf> bytes(long objectId, long objectBytes, long position, int length) {
            return readsFail.getAsBoolean()
                    ? CompletableFuture.failedStage(
                            new ObjectStoreException(ObjectStoreException.Reason.TRANSIENT, "injected", null))
                    : store.get(ObjectKeys.key(objectId), position, length);
        }
    }
}
