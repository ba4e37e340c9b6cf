package io.catchment.broker.loop;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wall-clock time to delete data by: follows the wall clock as long as that goes about as fast as the monotonic one. After a jump it goes on
 * without it, until the process is started again: a clock that is set to next year must not cost a year of data. Of one thread.
 */
public final class TrustedClock {
    private static final Logger LOG = LoggerFactory.getLogger(TrustedClock.class);
    private static final long DRIFT_MAX_MS = 300_000;

    private final LongSupplier wallClockMs;
    private final LongSupplier nanoTime;
    private long lastMs;
    private long lastNanos;
    private boolean jumped;

    public TrustedClock(LongSupplier wallClockMs, LongSupplier nanoTime) {
        this.wallClockMs = wallClockMs;
        this.nanoTime = nanoTime;
        this.lastMs = wallClockMs.getAsLong();
        this.lastNanos = nanoTime.getAsLong();
    }

    public long nowMs() {
        long nanos = nanoTime.getAsLong();
        long expectedMs = lastMs + TimeUnit.NANOSECONDS.toMillis(nanos - lastNanos);
        long wallMs = wallClockMs.getAsLong();
        boolean jumpsNow = Math.abs(wallMs - expectedMs) > DRIFT_MAX_MS;
        if (jumpsNow && !jumped) {
            LOG.error(
                    "The clock says {} ms more than the {} ms that have passed: retention goes on by the old time until this node is started again",
                    wallMs - expectedMs,
                    TimeUnit.NANOSECONDS.toMillis(nanos - lastNanos));
        }
        jumped = jumpsNow;
        lastMs = jumpsNow ? expectedMs : wallMs;
        lastNanos = nanos;
        return lastMs;
    }
}
