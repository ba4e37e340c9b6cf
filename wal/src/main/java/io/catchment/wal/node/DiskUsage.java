package io.catchment.wal.node;

import io.catchment.wal.loop.Loop;
import io.catchment.wal.loop.Loops;
import io.catchment.wal.store.ExtentStore;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How much room there is and how fast it goes. Asked by anyone; the disk is looked at on the maintenance loop, at most once
 * a second and only when somebody asks. Guarded by its monitor.
 */
final class DiskUsage {
    private static final Logger LOG = LoggerFactory.getLogger(DiskUsage.class);
    private static final long REFRESH_NANOS = 1_000_000_000L;
    /** Time constant of the moving rate. */
    private static final double SMOOTHING_SECONDS = 30;

    private final ExtentStore store;
    private final Loops loops;
    private final Loop maintenance;
    private final AtomicBoolean refreshing = new AtomicBoolean();
    private long usableBytes;
    private long heldBytes;
    private long refreshedNanos;
    private double bytesPerSecond;

    DiskUsage(ExtentStore store, Loops loops, Loop maintenance) throws IOException {
        this.store = store;
        this.loops = loops;
        this.maintenance = maintenance;
        this.usableBytes = store.usableBytes();
        this.heldBytes = store.bytesHeld();
        this.refreshedNanos = loops.nanoTime();
    }

    synchronized long usableBytes() {
        refreshSometimes();
        return usableBytes;
    }

    /** Infinite while the WAL does not grow. */
    synchronized double secondsUntilFull() {
        refreshSometimes();
        return bytesPerSecond < 1 ? Double.POSITIVE_INFINITY : usableBytes / bytesPerSecond;
    }

    private void refreshSometimes() {
        if (loops.nanoTime() - refreshedNanos >= REFRESH_NANOS && refreshing.compareAndSet(false, true)) {
            maintenance.execute(this::refresh);
        }
    }

    private void refresh() {
        try {
            update(store.usableBytes(), store.bytesHeld(), loops.nanoTime());
        } catch (IOException failed) {
            LOG.debug("Cannot tell how full the disk is: {}", failed.toString());
        } finally {
            refreshing.set(false);
        }
    }

    private synchronized void update(long usable, long held, long nanos) {
        double seconds = (nanos - refreshedNanos) / 1e9;
        if (seconds > 0) {
            double weight = 1 - Math.exp(-seconds / SMOOTHING_SECONDS);
            bytesPerSecond += weight * ((held - heldBytes) / seconds - bytesPerSecond);
        }
        usableBytes = usable;
        heldBytes = held;
        refreshedNanos = nanos;
    }
}
