package io.catchment.wal.loop;

import java.util.random.RandomGenerator;

/** Doubling delays with jitter between two bounds. Owned by the loop that uses it. */
public final class Backoff {
    private final long firstMs;
    private final long lastMs;
    private final RandomGenerator random;
    private long currentMs;

    public Backoff(long firstMs, long lastMs, RandomGenerator random) {
        this.firstMs = firstMs;
        this.lastMs = lastMs;
        this.random = random;
        this.currentMs = firstMs;
    }

    /** The next delay: between half of and the whole current bound, which then doubles. */
    public long nextMs() {
        long delayMs = currentMs / 2 + random.nextLong(currentMs / 2 + 1);
        currentMs = Math.min(lastMs, currentMs * 2);
        return Math.max(1, delayMs);
    }

    public void reset() {
        currentMs = firstMs;
    }
}
