package io.catchment.chaos.cluster;

import java.time.Duration;

/** How far a node is with moving its WAL into the object store, by its metrics. */
public final class FlushProgress {
    private static final String UNFLUSHED_AGE_SECONDS = "catchment_flush_oldest_unflushed_seconds";
    private static final String FLUSH_FAILURES = "catchment_flush_failures_total";
    private static final String WAL_BYTES = "catchment_wal_bytes";

    private FlushProgress() {}

    /** 0 when everything acknowledged is in the object store. */
    public static double oldestUnflushedSeconds(Metrics metrics) {
        return metrics.sum(UNFLUSHED_AGE_SECONDS);
    }

    public static double failures(Metrics metrics) {
        return metrics.sum(FLUSH_FAILURES);
    }

    public static double walBytes(Metrics metrics) {
        return metrics.sum(WAL_BYTES);
    }

    /** @throws IllegalStateException when something is left after that time */
    public static void awaitAllFlushed(CatchmentServer server, Duration limit) {
        Await.until("everything flushed", limit, () -> oldestUnflushedSeconds(server.metrics()) == 0);
    }
}
