package io.catchment.broker.node;

import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.extents.ExtentKeeper;
import io.catchment.broker.extents.WalControl;
import io.catchment.broker.flush.FlushOrder;
import io.catchment.broker.flush.FlushSettings;
import io.catchment.broker.flush.FlushStats;
import io.catchment.broker.flush.Flusher;
import io.catchment.broker.flush.ObjectReaper;
import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.partition.OwnedPartitions;
import io.catchment.broker.read.StreamExtents;
import io.catchment.wal.node.LocalWal;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What this node does for extents and objects in one epoch: it recovers and repairs, flushes and deletes. Begun by the thread that begins the
 * epoch, in the order of the methods; what tells of it can be asked by any.
 */
final class ExtentUpkeep {
    private static final long LAST_FLUSH_MS = 10_000;

    private final NodeParts parts;
    private final NodeConfig config;
    private final EpochControlPlane controlPlane;
    private final LocalWal wal;
    private final long epoch;
    private final EpochEnd end;
    private final Closers closers;
    private final ExtentKeeper keeper;
    private volatile @Nullable Flusher flusher;

    ExtentUpkeep(
            NodeParts parts,
            EpochControlPlane controlPlane,
            LocalWal wal,
            WalControl registry,
            StreamExtents extents,
            long epoch,
            EpochEnd end,
            Closers closers) {
        this.parts = parts;
        this.config = parts.config();
        this.controlPlane = controlPlane;
        this.wal = wal;
        this.epoch = epoch;
        this.end = end;
        this.closers = closers;
        SerialThread loop = closers.add("extents thread", new SerialThread("extents"));
        this.keeper = closers.add(
                "extent keeper",
                new ExtentKeeper(
                        wal,
                        registry,
                        extents,
                        parts.store(),
                        controlPlane,
                        config.nodeId(),
                        epoch,
                        config.wal().acceptLoss(),
                        loop,
                        new SplittableRandom()));
    }

    /** Completes with what stays unavailable, for people; empty: nothing. */
    CompletionStage<List<String>> recover() {
        keeper.start();
        return keeper.ready();
    }

    /** Deletes from now on; it is for {@link #flush} to begin with flushing, once clients are served. */
    void prepareFlush(OwnedPartitions owned) {
        FlushSettings settings = FlushSettings.DEFAULT
                .withConcurrency(config.store().flushConcurrency())
                .withObjectLife(config.store().uploadLimitMs(), config.store().deleteGraceMs())
                .withHotBytes(config.wal().hotBytes());
        SerialThread loop = closers.add("flush thread", new SerialThread("flush"));
        SplittableRandom random = new SplittableRandom();
        ObjectReaper reaper = closers.add(
                "object reaper",
                new ObjectReaper(
                        controlPlane,
                        parts.store(),
                        config.nodeId(),
                        settings,
                        loop,
                        random.split(),
                        parts.flushMeters(),
                        parts.horizon()));
        Flusher made = closers.add(
                "flusher",
                new Flusher(
                        wal,
                        controlPlane,
                        lane -> parts.transfers().of(FlushOrder.transferClass(lane)),
                        owned.walListener()::rollDue,
                        config.nodeId(),
                        epoch,
                        settings,
                        loop,
                        random.split(),
                        parts.flushMeters(),
                        parts.uploader()));
        if (config.wal().replicas() == 1) {
            // Nobody else could: at a graceful stop it publishes what it can, so that the next start finds nothing to
            // recover.
            closers.add("last flush", () -> made.flushAll(end.hasCome() ? 0 : LAST_FLUSH_MS)
                    .toCompletableFuture()
                    .get(LAST_FLUSH_MS + 5_000, TimeUnit.MILLISECONDS));
        }
        flusher = made;
        reaper.start();
    }

    void flush() {
        Flusher made = flusher;
        if (made == null) {
            throw new IllegalStateException("the flush was not prepared");
        }
        made.start();
    }

    /** Acknowledged data that cannot be had now, for people. */
    List<String> obstacles() {
        return keeper.obstacles();
    }

    FlushStats flushStats() {
        Flusher present = flusher;
        return present == null ? FlushStats.NONE : present.stats();
    }

    Set<Long> workedOn() {
        Set<Long> all = new HashSet<>(keeper.workedOn());
        Flusher flushing = flusher;
        if (flushing != null) {
            all.addAll(flushing.workedOn());
        }
        return all;
    }
}
