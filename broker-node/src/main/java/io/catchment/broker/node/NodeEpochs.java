package io.catchment.broker.node;

import io.catchment.broker.admin.AdminApis;
import io.catchment.broker.flush.FlushStats;
import io.catchment.broker.read.LayeredStreamReader;
import io.catchment.controlplane.CommandException;
import io.catchment.wal.WalStats;
import io.micrometer.core.instrument.Gauge;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node's epochs, one after the other: when one is over (fenced, or superseded) it is ended and the next is begun. Beginning and
 * ending belong to a thread of its own.
 */
final class NodeEpochs implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(NodeEpochs.class);
    private static final long RETRY_MS = 500;
    private static final long CLOSE_TIMEOUT_MS = 60_000;

    private static final WalStats NO_WAL = new WalStats(Map.of(), 0, 0, 0, 0, 0, 0, Double.POSITIVE_INFINITY);

    private final NodeParts parts;
    /** Not of one epoch: what it keeps of the image must not grow old between two of them, while clients still ask. */
    private final AdminApis admin;

    private final ExecutorService thread = Executors.newSingleThreadExecutor(task -> {
        Thread daemon = new Thread(task, "node-epochs");
        daemon.setDaemon(true);
        return daemon;
    });
    private volatile @Nullable NodeEpoch present;
    private volatile boolean closed;
    /** In any epoch so far; of that thread. */
    private boolean registered;

    NodeEpochs(NodeParts parts) {
        this.parts = parts;
        this.admin = AdminApis.of(parts.controlPlane(), parts.config(), parts.quotas(), parts.lookups(), this::epoch);
    }

    /** Metrics of whichever epoch there is. */
    void observe() {
        parts.metrics().observeWal(() -> {
            NodeEpoch epoch = present;
            return epoch == null ? NO_WAL : epoch.walStats().orElse(NO_WAL);
        });
        parts.metrics().observeReads(() -> {
            NodeEpoch epoch = present;
            return epoch == null ? LayeredStreamReader.Served.NONE : epoch.served();
        });
        Gauge.builder("catchment.wal.extents.unavailable", this, epochs -> epochs.obstacles()
                        .size())
                .description("Extents with acknowledged records that no node can give now; GET /status names them")
                .register(parts.metrics().registry());
        parts.flushMeters().observe(() -> {
            NodeEpoch epoch = present;
            return epoch == null ? FlushStats.NONE : epoch.flushStats();
        });
    }

    List<String> obstacles() {
        NodeEpoch epoch = present;
        return epoch == null ? List.of() : epoch.obstacles();
    }

    /** Begins the first; blocks until it serves. What fails it, but for silent controllers, is thrown. */
    void begin() throws Exception {
        try {
            thread.submit(() -> {
                        while (!closed && !tryBegin()) {
                            Thread.sleep(RETRY_MS);
                        }
                        return true;
                    })
                    .get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** False when it is to be tried again. */
    private boolean tryBegin() throws Exception {
        NodeEpoch epoch = new NodeEpoch(parts, admin, registered, this::over);
        present = epoch;
        boolean begun = false;
        try {
            epoch.begin();
            begun = true;
            return true;
        } catch (EpochOverException e) {
            log.warn("{}; the next one begins", e.getMessage());
            return false;
        } catch (CommandException e) {
            log.warn("The controllers do not answer yet: {}", e.getMessage());
            return false;
        } finally {
            registered |= epoch.epoch() >= 0;
            if (!begun) {
                epoch.close();
            }
        }
    }

    private void over(NodeEpoch epoch) {
        try {
            thread.execute(() -> {
                if (present == epoch && !closed) {
                    epoch.close();
                    next();
                }
            });
        } catch (RejectedExecutionException ended) {
            log.debug("No further epoch: this node ends");
        }
    }

    /** This process lives on: its disk and its memory are sound, only its rights are gone. */
    private void next() {
        while (!closed) {
            try {
                if (tryBegin()) {
                    NodeEpoch begun = present;
                    log.info(
                            "Serving again, in epoch {} with {} partitions",
                            begun == null ? -1 : begun.epoch(),
                            openPartitions());
                    return;
                }
            } catch (Exception e) {
                log.error("A new epoch could not begin and is tried again: {}", e.getMessage(), e);
            }
            try {
                Thread.sleep(RETRY_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    long epoch() {
        NodeEpoch epoch = present;
        return epoch == null ? -1 : epoch.epoch();
    }

    int openPartitions() {
        NodeEpoch epoch = present;
        return epoch == null ? 0 : epoch.openPartitions();
    }

    /** Before a graceful stop. */
    void takeLeave() throws InterruptedException {
        NodeEpoch epoch = present;
        if (epoch != null) {
            epoch.takeLeave();
        }
    }

    @Override
    public void close() {
        closed = true;
        NodeEpoch epoch = present;
        if (epoch == null) {
            thread.shutdownNow();
            return;
        }
        epoch.leave();
        Future<?> closing = thread.submit(epoch::close);
        thread.shutdown();
        try {
            closing.get(CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            log.warn("The node's last epoch did not end as it should: {}", String.valueOf(e.getCause()));
        } catch (TimeoutException e) {
            log.warn("The node's last epoch did not end within {} ms", CLOSE_TIMEOUT_MS);
        }
    }
}
