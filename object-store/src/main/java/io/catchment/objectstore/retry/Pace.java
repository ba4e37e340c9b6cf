package io.catchment.objectstore.retry;

import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;

/**
 * Owned by its lock. How far requests are spread out in time because the store said that there are too many: not at all until it says so;
 * then the distance doubles with each further complaint, and shrinks by a tenth with each request that it takes. A backoff of each request on its own
 * does not do that: many requests that all wait a little are as many as before.
 */
final class Pace {
    static final long FIRST_MS = 20;
    static final long MAX_MS = 2_000;
    private static final long GONE_NANOS = 2_000_000;

    private final RandomGenerator random;
    private final ReentrantLock lock = new ReentrantLock();
    private long distanceNanos;
    private long nextNanos;
    private long raisedNanos;

    Pace(RandomGenerator random) {
        this.random = random;
    }

    /** Takes the next place; how long it is until then. Negative: longer than {@code waitMaxNanos}, and no place was taken. */
    long takeNanos(long nowNanos, long waitMaxNanos) {
        lock.lock();
        try {
            if (distanceNanos == 0) {
                return 0;
            }
            long at = nextNanos - nowNanos > 0 ? nextNanos : nowNanos;
            if (at - nowNanos > waitMaxNanos) {
                return -1;
            }
            // Between three and five quarters of the distance, so that nodes do not march in step.
            nextNanos = at + distanceNanos * 3 / 4 + random.nextLong(distanceNanos / 2 + 1);
            return at - nowNanos;
        } finally {
            lock.unlock();
        }
    }

    /** The store complained. What was sent at the old pace and complained of now says nothing new. */
    void throttled(long nowNanos) {
        lock.lock();
        try {
            if (distanceNanos == 0) {
                distanceNanos = FIRST_MS * 1_000_000;
            } else if (nowNanos - raisedNanos < distanceNanos) {
                return;
            } else {
                distanceNanos = Math.min(MAX_MS * 1_000_000, distanceNanos * 2);
            }
            raisedNanos = nowNanos;
            nextNanos = nowNanos + distanceNanos;
        } finally {
            lock.unlock();
        }
    }

    void succeeded() {
        lock.lock();
        try {
            distanceNanos -= distanceNanos / 10;
            if (distanceNanos < GONE_NANOS) {
                distanceNanos = 0;
            }
        } finally {
            lock.unlock();
        }
    }

    /** For metrics: 0 while the store does not complain. */
    long distanceMs() {
        lock.lock();
        try {
            return distanceNanos / 1_000_000;
        } finally {
            lock.unlock();
        }
    }
}
