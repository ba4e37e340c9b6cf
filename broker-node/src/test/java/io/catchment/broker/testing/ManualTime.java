package io.catchment.broker.testing;

import java.util.function.Supplier;
import org.apache.kafka.common.utils.Time;

/** Stands still until somebody sleeps. */
public final class ManualTime implements Time {
    private volatile long nowMs;

    public ManualTime(long nowMs) {
        this.nowMs = nowMs;
    }

    @Override
    public long milliseconds() {
        return nowMs;
    }

    @Override
    public long nanoseconds() {
        return nowMs * 1_000_000;
    }

    @Override
    public void sleep(long ms) {
        nowMs += ms;
    }

    @Override
    public void waitObject(Object object, Supplier<Boolean> condition, long deadlineMs) {
        throw new AssertionError("nobody waits here");
    }
}
