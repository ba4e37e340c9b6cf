package io.catchment.wal.node;

import io.catchment.wal.Admission;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameRead;
import io.catchment.wal.Lane;
import io.catchment.wal.LoadedExtent;
import io.catchment.wal.PeerExtents;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.StoreRef;
import io.catchment.wal.Wal;
import io.catchment.wal.WalListener;
import io.catchment.wal.WalStats;
import io.catchment.wal.WalStats.LaneStats;
import io.catchment.wal.disk.FileDisk;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.lane.LaneWriter;
import io.catchment.wal.link.Link;
import io.catchment.wal.link.LinkHandler;
import io.catchment.wal.loop.Backoff;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.loop.Loops;
import io.catchment.wal.loop.ThreadLoops;
import io.catchment.wal.recovery.ExtentRecovery;
import io.catchment.wal.remote.PeerStores;
import io.catchment.wal.remote.ReplicaServer;
import io.catchment.wal.remote.Traffic;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.store.ExtentStore;
import io.catchment.wal.store.LocalReplica;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node's WAL: its lanes, its store, and the way to other nodes' stores. Thread-safe; wiring only. Loops: one per lane for its state, one per
 * lane for its writes and syncs, one for all other disk work, some for reads, one for recovery; a thread starts with its
 * first task.
 */
public final class LocalWal implements Wal {
    private static final Logger LOG = LoggerFactory.getLogger(LocalWal.class);

    private static final long CLOSE_TIMEOUT_MS = 2_000;

    private final ExtentStore store;
    private final Loops loops;
    private final LocalReplica local;
    private final LocalReads reads;
    private final @Nullable PeerStores peers;
    private final @Nullable ReplicaServer server;
    private final ExtentRecovery recovery;
    private final DiskUsage usage;
    private final Map<Lane, LaneWriter> lanes = new EnumMap<>(Lane.class);
    private final AutoCloseable disk;

    /** Whether a WAL directory holds extents: for who must know before it is opened. One that does not exist holds none. */
    public static boolean hasExtents(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return false;
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.anyMatch(
                    file -> ExtentStore.isExtent(file.getFileName().toString()));
        }
    }

    private LocalWal(
            WalConfig config,
            int nodeId,
            WalEnvironment environment,
            ExtentRegistry registry,
            WalListener listener,
            Optional<WalPeers> others,
            AutoCloseable disk)
            throws IOException {
        this.disk = disk;
        this.loops = environment.loops();
        this.store = ExtentStore.open(
                environment.disk(), config.storeConfig(), environment.checksums(), loops::nanoTime, environment.ids());
        Loop maintenance = loops.loop("maintenance");
        this.local = new LocalReplica(nodeId, store, loops, maintenance, config.reserveBytes());
        this.reads = new LocalReads(store, environment.allocator(), loops, config.readThreads());
        RandomGenerator seeds = split(environment.random());
        this.peers = others.map(other ->
                        new PeerStores(other.config(), nodeId, other.network(), loops, environment.allocator(), seeds))
                .orElse(null);
        this.server = others.map(other -> new ReplicaServer(
                        other.config(), local, reads, environment.checksums(), environment.allocator()))
                .orElse(null);
        for (Lane lane : Lane.values()) {
            lanes.put(
                    lane,
                    new LaneWriter(
                            lane,
                            config.laneConfig(),
                            loops.loop("lane-" + lane),
                            registry,
                            store -> replica(store, Traffic.of(lane)),
                            local.store(),
                            listener,
                            environment.checksums(),
                            loops::nanoTime,
                            split(environment.random())));
        }
        this.recovery = new ExtentRecovery(
                registry,
                store -> replica(store, Traffic.RECOVERY),
                local.store(),
                config.quorum().localEndMsMax(),
                loops.loop("recovery"),
                backoffs(split(environment.random())),
                environment.rule());
        this.usage = new DiskUsage(store, loops, maintenance);
    }

    /** Nothing it believes can be trusted any more: as if it were fenced, for a node that kept its streams could neither write nor hand them over. */
    void broken(String reason) {
        lanes.values().forEach(lane -> lane.fail(reason));
    }

    /** Opens a directory of the real file system. Looks at names only; nothing is created in a lane before its first frame. */
    public static LocalWal open(WalConfig config, int nodeId, ExtentRegistry registry, WalListener listener)
            throws IOException {
        return open(config, nodeId, registry, listener, Optional.empty());
    }

    /** The same as one of several nodes; {@link #accept} is to hear what other nodes connect. */
    public static LocalWal open(
            WalConfig config, int nodeId, ExtentRegistry registry, WalListener listener, WalPeers peers)
            throws IOException {
        return open(config, nodeId, registry, listener, Optional.of(peers));
    }

    private static LocalWal open(
            WalConfig config, int nodeId, ExtentRegistry registry, WalListener listener, Optional<WalPeers> peers)
            throws IOException {
        FileDisk disk = FileDisk.open(config.dir());
        AtomicReference<@Nullable LocalWal> wal = new AtomicReference<>();
        ThreadLoops loops = new ThreadLoops("wal-", (loop, broken) -> {
            try {
                LOG.error(
                        "An invariant of the WAL broke on {}: its lanes are closed, this node's epoch is over",
                        loop,
                        broken);
            } finally {
                LocalWal opened = wal.get();
                if (opened != null) {
                    opened.broken("a broken invariant on " + loop + ": " + broken);
                }
            }
        });
        WalEnvironment environment = new WalEnvironment(
                disk, loops, CRC32C::new, PooledByteBufAllocator.DEFAULT, new SplittableRandom(), UUID::randomUUID);
        boolean complete = false;
        try {
            LocalWal opened = new LocalWal(config, nodeId, environment, registry, listener, peers, disk);
            wal.set(opened);
            complete = true;
            return opened;
        } finally {
            if (!complete) {
                disk.close();
            }
        }
    }

    /** The same on another disk, other threads and another clock, alone. */
    public static LocalWal open(
            WalConfig config, int nodeId, WalEnvironment environment, ExtentRegistry registry, WalListener listener)
            throws IOException {
        return open(config, nodeId, environment, registry, listener, Optional.empty());
    }

    /** The same on another disk, other threads and another clock. */
    public static LocalWal open(
            WalConfig config,
            int nodeId,
            WalEnvironment environment,
            ExtentRegistry registry,
            WalListener listener,
            Optional<WalPeers> peers)
            throws IOException {
        return new LocalWal(config, nodeId, environment, registry, listener, peers, () -> {});
    }

    private static RandomGenerator split(RandomGenerator random) {
        return new SplittableRandom(random.nextLong());
    }

    private static Supplier<Backoff> backoffs(RandomGenerator random) {
        return () -> new Backoff(50, 2_000, random);
    }

    /** Another store of this same node is one that is lost. */
    private Optional<Replica> replica(StoreRef store, Traffic traffic) {
        if (store.equals(local.store())) {
            return Optional.of(local);
        }
        return peers == null || store.nodeId() == local.store().nodeId()
                ? Optional.empty()
                : Optional.of(peers.replica(store, traffic));
    }

    /** Hears a connection that another node opened to this one's WAL. */
    public LinkHandler accept(Link link) {
        if (server == null) {
            throw new IllegalStateException("this WAL was opened without peers");
        }
        return server.accept(link);
    }

    /** Reads of other nodes' stores. */
    public PeerExtents peers() {
        if (peers == null) {
            throw new IllegalStateException("this WAL was opened without peers");
        }
        return peers;
    }

    /** This node's store as an ensemble member. */
    public StoreRef localStore() {
        return local.store();
    }

    @Override
    public String storeId() {
        return store.storeId();
    }

    @Override
    public Admission append(Lane lane, Frame frame, @Nullable Object context) {
        return writer(lane).append(frame, context);
    }

    @Override
    public boolean accepting(Lane lane) {
        return writer(lane).accepting();
    }

    /**
     * Which stores there are has changed: lanes whose extents have fewer copies than they could have, or lie on a store that is about to go,
     * move to new ones, instead of waiting for the next roll. Until they do, a single further loss could cost them their quorum; and a
     * store that all have left can go without anybody noticing.
     *
     * @param copies that an extent can have now
     * @param fresh stores whose node has begun anew: that they failed before says nothing any more
     * @param leaving stores that no extent is placed on any more
     */
    public void storesChanged(int copies, Set<StoreRef> fresh, Set<StoreRef> leaving) {
        Set<StoreRef> going = Set.copyOf(leaving);
        lanes.values().forEach(lane -> lane.storesChanged(copies, fresh, going));
    }

    @Override
    public void roll(Lane lane, long extentId) {
        writer(lane).roll(extentId);
    }

    private LaneWriter writer(Lane lane) {
        LaneWriter writer = lanes.get(lane);
        if (writer == null) {
            throw new IllegalArgumentException("no lane " + lane);
        }
        return writer;
    }

    @Override
    public List<Long> extents() {
        return store.extents();
    }

    @Override
    public OptionalLong length(long extentId) {
        return store.visibleLength(extentId);
    }

    @Override
    public long[] streams(long extentId) {
        return unchecked(() -> reads.blocking().streams(extentId));
    }

    @Override
    public List<FrameEntry> index(long extentId, long streamId) {
        return unchecked(() -> reads.blocking().index(extentId, streamId));
    }

    @Override
    public Optional<FrameEntry> floor(long extentId, long streamId, long offset) {
        return unchecked(() -> reads.blocking().floor(extentId, streamId, offset));
    }

    @Override
    public CompletionStage<FrameRead> read(long extentId, long streamId, long fromOffset, int bytesMax) {
        return reads.read(extentId, streamId, fromOffset, bytesMax);
    }

    @Override
    public CompletionStage<ByteBuf> payload(long extentId, FrameEntry entry) {
        return reads.payload(extentId, entry);
    }

    @Override
    public CompletionStage<LoadedExtent> load(long extentId) {
        return reads.load(extentId);
    }

    @Override
    public CompletionStage<Void> delete(long extentId) {
        return local.delete(extentId);
    }

    @Override
    public List<Long> unsettled() {
        return store.unsettled();
    }

    @Override
    public CompletionStage<Void> settle(long extentId, long sealedLength) {
        return local.settle(extentId, sealedLength);
    }

    @Override
    public CompletionStage<RecoveryReport> recover(List<ExtentDescriptor> extents) {
        return recovery.recover(extents);
    }

    @Override
    public CompletionStage<Long> declareLost(ExtentDescriptor extent) {
        return recovery.declareLost(extent);
    }

    /**
     * Settles a local copy of a sealed extent that no record names, and reads all of it: it is as good as a holder's afterwards, and the
     * caller may tell the control plane. Fails with {@link io.catchment.wal.CorruptExtentException} if it is not all of what was sealed.
     */
    public CompletionStage<Void> verify(long extentId, long length) {
        return local.verify(extentId, length);
    }

    /**
     * Makes this node's store a holder of an extent that is sealed and lacks holders: copied from one of them, each frame
     * verified (DESIGN §5). The caller then tells the control plane. Also replaces a local copy that is damaged; does
     * nothing if all of it is here. Fails with {@link IOException} when no holder could give it.
     */
    public CompletionStage<Void> repair(ExtentDescriptor extent, long length, List<StoreRef> holders) {
        ExtentHeader header = new ExtentHeader(
                extent.extentId(), extent.writerNodeId(), extent.writerEpoch(), extent.lane(), extent.ackQuorum());
        CompletionStage<Void> repaired = CompletableFuture.failedStage(
                new IOException("extent " + extent.extentId() + " has no other holder to repair it from"));
        for (StoreRef holder : holders) {
            Optional<Replica> source = replica(holder, Traffic.RECOVERY);
            if (!holder.equals(local.store()) && source.isPresent()) {
                repaired = repaired.exceptionallyCompose(failed -> local.repair(header, length, source.get()));
            }
        }
        return repaired;
    }

    @Override
    public WalStats stats() {
        Map<Lane, LaneStats> laneStats = new EnumMap<>(Lane.class);
        lanes.forEach((lane, writer) -> laneStats.put(lane, writer.stats()));
        return new WalStats(
                laneStats,
                store.count(true),
                store.count(false),
                store.recycledFiles(),
                store.bytesHeld(),
                usage.usableBytes(),
                store.indexBytes(),
                usage.secondsUntilFull());
    }

    @Override
    public CompletionStage<Void> shutdown(long timeoutMs) {
        return CompletableFuture.allOf(lanes.values().stream()
                .map(lane -> lane.shutdown(timeoutMs).toCompletableFuture())
                .toArray(CompletableFuture<?>[]::new));
    }

    @Override
    public void close() {
        CompletableFuture<Void> idle = CompletableFuture.allOf(lanes.values().stream()
                .map(lane -> lane.closeNow().toCompletableFuture())
                .toArray(CompletableFuture<?>[]::new));
        try {
            awaitIdle(idle);
        } finally {
            // Whatever went wrong: who opens the directory next finds it free
            closeStore();
        }
    }

    private void awaitIdle(CompletableFuture<Void> idle) {
        if (peers != null) {
            peers.close();
        }
        try {
            idle.get(CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException stuck) {
            LOG.warn("A write to the WAL is still under way after {} ms: closing without it", CLOSE_TIMEOUT_MS);
        }
    }

    private void closeStore() {
        try {
            loops.close();
            reads.blocking().close();
            store.close();
        } finally {
            try {
                disk.close();
            } catch (Exception failed) {
                LOG.warn("Closing the WAL directory failed: {}", failed.toString());
            }
        }
    }

    private interface DiskTask<T> {
        T run() throws IOException;
    }

    private static <T> T unchecked(DiskTask<T> task) {
        try {
            return task.run();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
