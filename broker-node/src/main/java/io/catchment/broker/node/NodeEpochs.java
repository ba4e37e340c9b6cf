package io.catchment.broker.node;

import io.catchment.broker.admin.AdminApis;
import io.catchment.broker.flush.FlushStats;
import io.catchment.broker.read.LayeredStreamReader;
import io.catchment.wal.WalStats;
import io.micrometer.core.instrument.Gauge;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A node's epochs, one after the other, and what can be asked of whichever there is. Thread-safe. */
final class NodeEpochs implements AutoCloseable {
    private static final WalStats NO_WAL = new WalStats(Map.of(), 0, 0, 0, 0, 0, 0, Double.POSITIVE_INFINITY);

    private final NodeParts parts;
    /** Not of one epoch: what it keeps of the image must not grow old between two of them, while clients still ask. */
    private final AdminApis admin;

    private final CountDownLatch closing = new CountDownLatch(1);
    private final EpochSuccession<NodeEpoch> epochs;
    /** Of the thread that begins epochs. */
    private final Registrations registrations = new Registrations();

    /** @param fatal what to do when no epoch can begin in this process any more */
    NodeEpochs(NodeParts parts, Consumer<Throwable> fatal) {
        this.parts = parts;
        this.admin = AdminApis.of(parts.controlPlane(), parts.config(), parts.quotas(), parts.lookups(), this::epoch);
        this.epochs = new EpochSuccession<>(
                (again, over) -> new NodeEpoch(parts, admin, registrations, over),
                parts.serving()::unmet,
                fatal,
                this::pause,
                System::nanoTime,
                new SplittableRandom());
    }

    private void pause(long ms) throws InterruptedException {
        boolean unused = closing.await(ms, TimeUnit.MILLISECONDS);
    }

    /** Metrics of whichever epoch there is. */
    void observe() {
        parts.metrics().observeWal(() -> {
            NodeEpoch epoch = epochs.present();
            return epoch == null ? NO_WAL : epoch.walStats().orElse(NO_WAL);
        });
        parts.metrics().observeReads(() -> {
            NodeEpoch epoch = epochs.present();
            return epoch == null ? LayeredStreamReader.Served.NONE : epoch.served();
        });
        Gauge.builder("catchment.wal.extents.unavailable", this, all -> all.obstacles()
                        .size())
                .description("Extents with acknowledged records that no node can give now; GET /status names them")
                .register(parts.metrics().registry());
        parts.flushMeters().observe(() -> {
            NodeEpoch epoch = epochs.present();
            return epoch == null ? FlushStats.NONE : epoch.flushStats();
        });
    }

    List<String> obstacles() {
        NodeEpoch epoch = epochs.present();
        return epoch == null ? List.of() : epoch.obstacles();
    }

    /** Begins the first; see {@link EpochSuccession#begin}. */
    void begin() throws Exception {
        epochs.begin();
    }

    long epoch() {
        NodeEpoch epoch = epochs.present();
        return epoch == null ? -1 : epoch.epoch();
    }

    int openPartitions() {
        NodeEpoch epoch = epochs.present();
        return epoch == null ? 0 : epoch.openPartitions();
    }

    /** Before a graceful stop. */
    void takeLeave() throws InterruptedException {
        NodeEpoch epoch = epochs.present();
        if (epoch != null) {
            epoch.takeLeave();
        }
    }

    @Override
    public void close() {
        closing.countDown();
        epochs.close();
    }
}
