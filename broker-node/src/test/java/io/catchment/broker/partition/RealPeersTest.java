package io.catchment.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.partition.StreamOpening.Found;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.read.LayeredStreamReader;
import io.catchment.broker.read.ReadBudget;
import io.catchment.broker.read.ReadBudgets;
import io.catchment.broker.read.StreamExtents;
import io.catchment.broker.testing.CatalogImage;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.MemoryObjects;
import io.catchment.broker.testing.TestBatches;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.StreamState.EpochStart;
import io.catchment.controlplane.StreamState.Handover;
import io.catchment.controlplane.StreamState.Writer;
import io.catchment.wal.Acknowledged;
import io.catchment.wal.Admission;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameKind;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import io.catchment.wal.WalListener;
import io.catchment.wal.link.ChannelSecurity;
import io.catchment.wal.link.NettyNetwork;
import io.catchment.wal.node.LocalWal;
import io.catchment.wal.node.WalConfig;
import io.catchment.wal.node.WalPeers;
import io.catchment.wal.remote.RemoteConfig;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three real WALs over sockets. Nodes 1 and 2 hold what node 1 writes; node 3, which is in no ensemble, opens and reads it. */
class RealPeersTest {
    private static final long STREAM = 9;
    private static final Writer ONE = new Writer(1, 1);
    private static final Writer THREE = new Writer(3, 3);
    private static final ProducerStateManagerConfig CONFIG = new ProducerStateManagerConfig(86_400_000, true);

    @TempDir
    Path dir;

    private final Map<Integer, InetSocketAddress> addresses = new ConcurrentHashMap<>();
    private final List<StoreRef> ensemble = new ArrayList<>();
    private final List<AutoCloseable> closers = new ArrayList<>();
    private final BlockingQueue<Acknowledged> acknowledged = new LinkedBlockingQueue<>();
    private final BlockingQueue<Long> sealed = new LinkedBlockingQueue<>();
    private final AtomicReference<CatalogImage> image = new AtomicReference<>(CatalogImage.over(new FakeControlPlane()
                    .withNode(1, "L")
                    .withNode(2, "L")
                    .withNode(3, "L")
                    .image())
            .withStream(STREAM));
    private final ReadBudget budget = new ReadBudget(32 << 20);
    private final MemoryObjects objects = new MemoryObjects(3);
    private LocalWal writer;
    private LocalWal reading;
    private LayeredStreamReader reader;
    private long written;

    @BeforeEach
    void startThreeNodes() throws IOException {
        Registry registry = new Registry();
        writer = start(1, registry);
        LocalWal replica = start(2, registry);
        reading = start(3, registry);
        ensemble.add(writer.localStore());
        ensemble.add(replica.localStore());
        reader = new LayeredStreamReader(
                StreamExtents.of(reading, 3, reading.peers()),
                objects,
                image::get,
                new ReadBudgets(budget, budget),
                Runnable::run);
    }

    private LocalWal start(int nodeId, ExtentRegistry registry) throws IOException {
        NettyNetwork network = new NettyNetwork(
                1,
                node -> Optional.ofNullable(addresses.get(node)),
                ChannelSecurity.NONE,
                PooledByteBufAllocator.DEFAULT);
        LocalWal wal = LocalWal.open(
                WalConfig.defaults(dir.resolve("node-" + nodeId)).withReserveBytes(0),
                nodeId,
                registry,
                new Heard(),
                new WalPeers(RemoteConfig.defaults("test-cluster"), network));
        addresses.put(nodeId, network.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), wal::accept));
        closers.add(() -> {
            wal.close();
            network.close();
        });
        return wal;
    }

    @AfterEach
    void stop() throws Exception {
        assertThat(budget.usedBytes()).isZero();
        for (AutoCloseable closer : closers) {
            closer.close();
        }
    }

    private final class Heard implements WalListener {
        @Override
        public void acknowledged(Lane lane, List<Acknowledged> group) {
            acknowledged.addAll(group);
        }

        @Override
        public void rollDue(Lane lane, long extentId) {}

        @Override
        public void sealed(Lane lane, long extentId, long length) {
            sealed.add(extentId);
        }

        @Override
        public void laneState(Lane lane, boolean accepting, String reason) {}
    }

    /** Gives out extents on nodes 1 and 2, and writes what becomes of them into the image. */
    private final class Registry implements ExtentRegistry {
        private final AtomicLong nextExtent = new AtomicLong(1);

        @Override
        public CompletionStage<ExtentDescriptor> create(Lane lane) {
            long extentId = nextExtent.getAndIncrement();
            List<ExtentState.Store> stores = stores(ensemble);
            image.updateAndGet(
                    now -> now.extent(new ExtentState(extentId, 1, 1, 1, 1, stores, 2, Phase.OPEN, -1, List.of())));
            return CompletableFuture.completedStage(new ExtentDescriptor(extentId, 1, 1, lane, ensemble, 2));
        }

        @Override
        public CompletionStage<Void> seal(long extentId, long length, List<StoreRef> holders) {
            image.updateAndGet(
                    now -> now.extent(now.extent(extentId).orElseThrow().as(Phase.SEALED, 1, length, stores(holders))));
            return CompletableFuture.completedStage(null);
        }

        @Override
        public CompletionStage<Long> startRecovery(long extentId) {
            throw new AssertionError("nothing is recovered here");
        }

        private static List<ExtentState.Store> stores(List<StoreRef> refs) {
            return refs.stream()
                    .map(ref -> new ExtentState.Store(ref.nodeId(), ref.storeId()))
                    .toList();
        }
    }

    // ---- node 1 writes

    private Acknowledged write(FrameKind kind, byte[] payload, int records) throws InterruptedException {
        Frame frame = new Frame(kind, STREAM, 1, written, records, 0, TestBatches.buffer(payload));
        assertThat(writer.append(Lane.NORMAL, frame, null)).isEqualTo(Admission.ACCEPTED);
        Acknowledged group = acknowledged.poll(20, TimeUnit.SECONDS);
        assertThat(group).isNotNull();
        written += records;
        return group;
    }

    private byte[] writeBatches(int count) throws InterruptedException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < count; i++) {
            byte[] batch = TestBatches.batch(written, 5, 300);
            all.writeBytes(batch);
            write(FrameKind.DATA, batch, 5);
        }
        return all.toByteArray();
    }

    // ---- node 3 opens and reads

    private Found open(Handover handover) {
        image.updateAndGet(now -> now.owned(
                STREAM,
                handover == null ? new Writer(3, -1) : THREE,
                List.of(new EpochStart(1, 0), new EpochStart(2, written)),
                List.of(ONE, THREE),
                handover));
        StreamOpening opening = new StreamOpening(
                new StreamOpening.Owner(3, 3),
                new StreamOpening.Sources(StreamExtents.of(reading, 3, reading.peers()), reader, objects),
                CONFIG,
                Time.SYSTEM,
                image::get);
        List<Throwable> failures = new ArrayList<>();
        List<Found> found = new OpeningRound(opening, 32, 20_000, Time.SYSTEM)
                .find(List.copyOf(image.get().streams()), (stream, failure) -> failures.add(failure));
        assertThat(failures).isEmpty();
        assertThat(found).hasSize(1);
        return found.get(0);
    }

    private byte[] readAll(long end) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        long offset = 0;
        while (offset < end) {
            BatchRun run = reader.read(STREAM, offset, end, 4_000)
                    .toCompletableFuture()
                    .orTimeout(20, TimeUnit.SECONDS)
                    .join();
            all.writeBytes(TestBatches.bytes(run.payload()));
            offset = run.endOffset();
            run.payload().release();
        }
        return all.toByteArray();
    }

    @Test
    void aStreamInAnotherNodesOpenExtentIsOpenedAndReadToItsVeryEnd() throws Exception {
        byte[] log = writeBatches(40);
        assertThat(open(null).endOffset()).isEqualTo(200);
        assertThat(readAll(200)).isEqualTo(log);
        assertThat(reader.served().peerReads()).isPositive();
        assertThat(reading.extents())
                .as("no byte of it came to this node's store")
                .isEmpty();
    }

    @Test
    void whenTheWriterIsCutOffItsReplicaIsReadAndWhatThatShowsLateIsWaitedFor() throws Exception {
        byte[] log = writeBatches(40);
        addresses.remove(1);
        assertThat(open(null).endOffset()).isEqualTo(200);
        assertThat(readAll(200)).isEqualTo(log);
    }

    @Test
    void aHandedOverStreamIsOpenedFromItsCheckpointAndReadWhileTheExtentIsSealed() throws Exception {
        byte[] log = writeBatches(20);
        byte[] state = {1, 0, 0, 0, 0, 0};
        Acknowledged checkpoint = write(FrameKind.CHECKPOINT, state, 0);
        Found found = open(new Handover(written, checkpoint.extentId(), checkpoint.position() + 56, state.length));
        assertThat(found.endOffset()).isEqualTo(100);
        assertThat(found.handedOver()).isTrue();
        assertThat(readAll(100)).isEqualTo(log);

        writer.roll(Lane.NORMAL, checkpoint.extentId());
        assertThat(sealed.poll(20, TimeUnit.SECONDS)).isEqualTo(checkpoint.extentId());
        assertThat(image.get().extent(checkpoint.extentId()).orElseThrow().phase())
                .isEqualTo(Phase.SEALED);
        assertThat(open(null).endOffset()).isEqualTo(100);
        assertThat(readAll(100)).isEqualTo(log);
    }
}
