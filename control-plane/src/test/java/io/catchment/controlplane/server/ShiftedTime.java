package io.catchment.controlplane.server;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Time;

/** The system's time, and so much more as was skipped. Thread-safe. */
final class ShiftedTime implements Time {
    private final AtomicLong skippedMs = new AtomicLong();

    void skip(long ms) {
        skippedMs.addAndGet(ms);
    }

    @Override
    public long milliseconds() {
        return SYSTEM.milliseconds() + skippedMs.get();
    }

    @Override
    public long nanoseconds() {
        return SYSTEM.nanoseconds() + TimeUnit.MILLISECONDS.toNanos(skippedMs.get());
    }

    @Override
    public void sleep(long ms) {
        SYSTEM.sleep(ms);
    }

    @Override
    public void waitObject(Object object, Supplier<Boolean> condition, long deadlineMs) throws InterruptedException {
        SYSTEM.waitObject(object, condition, deadlineMs - skippedMs.get());
    }
}
