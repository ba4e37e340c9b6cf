package io.catchment.chaos.cluster;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** How far a node is with moving its WAL into the object store, by its metrics. */
public final class FlushProgress {
    private static final String UNFLUSHED_BYTES = "catchment_flush_unflushed_bytes";
    private static final String UNFLUSHED_AGE_SECONDS = "catchment_flush_oldest_unflushed_seconds";
    private static final String WAL_BYTES = "catchment_wal_held_bytes";

    /** The node looks once a second and answers scrapes from its last look. */
    private static final long STALE_NANOS = TimeUnit.MILLISECONDS.toNanos(2500);

    /** A scrape costs the node CPU, which may be what is being measured. */
    private static final Duration LOOK = Duration.ofMillis(500);

    private FlushProgress() {}

    /** Age of the oldest acknowledged data that is not in the object store. */
    public static double oldestUnflushedSeconds(Metrics metrics) {
        return metrics.sum(UNFLUSHED_AGE_SECONDS);
    }

    /** Of all extents on the local disk. */
    public static double walBytes(Metrics metrics) {
        return metrics.sum(WAL_BYTES);
    }

    /**
     * Returns when nothing is unflushed on any node, and has not been for longer than the nodes' figures may be old.
     *
     * @throws IllegalStateException when something is left after that time
     */
    public static void awaitAllFlushed(CatchmentCluster cluster, Duration limit) {
        long[] since = {0};
        Metrics[] last = new Metrics[1];
        boolean flushed = Await.within(limit, LOOK, () -> {
            Metrics metrics = cluster.metrics();
            last[0] = metrics;
            long now = System.nanoTime();
            if (metrics.sum(UNFLUSHED_BYTES) > 0) {
                since[0] = 0;
            } else if (since[0] == 0) {
                since[0] = now;
            }
            return since[0] != 0 && now - since[0] > STALE_NANOS;
        });
        if (!flushed) {
            throw new IllegalStateException(
                    "not within %d s: everything flushed; %.0f bytes are left, the oldest for %.1f s"
                            .formatted(
                                    limit.toSeconds(), last[0].sum(UNFLUSHED_BYTES), oldestUnflushedSeconds(last[0])));
        }
    }

    /**
     * Returns when what is unflushed is only what has come in lately: a group that goes on committing its offsets always leaves some.
     *
     * @param age how old it may be; shorter than what the flush has to catch up with, else this proves nothing
     * @throws IllegalStateException when it is still older after the limit
     */
    public static void awaitCaughtUp(CatchmentServer server, Duration age, Duration limit) {
        double[] last = new double[1];
        boolean caughtUp = Await.within(limit, LOOK, () -> {
            last[0] = server.metrics().sum(UNFLUSHED_AGE_SECONDS);
            return last[0] < age.toSeconds();
        });
        if (!caughtUp) {
            throw new IllegalStateException(
                    "the flush has not caught up within %d s: the oldest is unflushed for %.1f s"
                            .formatted(limit.toSeconds(), last[0]));
        }
    }
}
