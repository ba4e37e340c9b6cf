package io.catchment.broker.testing;

import io.catchment.broker.loop.SerialLoop;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Owned by the test's thread. Time stands still until a test moves it; steps run in the order of their times, then in the order they came. */
public final class ManualLoop implements SerialLoop {
    private static final int STEPS_AT_ONE_TIME_MAX = 1_000_000;

    private final PriorityQueue<Step> steps = new PriorityQueue<>();
    private long nowNanos = TimeUnit.DAYS.toNanos(7);
    private long wallOffsetMs = 1_000_000_000;
    private long stepsTaken;

    private record Step(long atNanos, long number, Runnable run) implements Comparable<Step> {
        @Override
        public int compareTo(Step other) {
            int byTime = Long.compare(atNanos, other.atNanos);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    @Override
    public void execute(Runnable step) {
        schedule(step, 0);
    }

    /** It has no end. */
    @Override
    public void execute(Runnable step, Runnable dropped) {
        execute(step);
    }

    @Override
    public Scheduled schedule(Runnable step, long delayMs) {
        Step scheduled = new Step(nowNanos + TimeUnit.MILLISECONDS.toNanos(delayMs), stepsTaken++, step);
        steps.add(scheduled);
        return () -> steps.remove(scheduled);
    }

    @Override
    public long nanoTime() {
        return nowNanos;
    }

    @Override
    public long wallClockMs() {
        return wallOffsetMs + TimeUnit.NANOSECONDS.toMillis(nowNanos);
    }

    /** As a clock does that somebody sets; the monotonic time does not change. */
    public void jumpWallClock(long ms) {
        wallOffsetMs += ms;
    }

    /** Everything that is due now and in the time that passes. What a step throws, the test gets. */
    public void pass(long ms) {
        long end = nowNanos + TimeUnit.MILLISECONDS.toNanos(ms);
        int atOneTime = 0;
        for (Step next = steps.peek(); next != null && next.atNanos() <= end; next = steps.peek()) {
            steps.remove();
            atOneTime = next.atNanos() > nowNanos ? 0 : atOneTime + 1;
            if (atOneTime > STEPS_AT_ONE_TIME_MAX) {
                throw new AssertionError("a busy loop: " + atOneTime + " steps without a pause");
            }
            nowNanos = Math.max(nowNanos, next.atNanos());
            next.run().run();
        }
        nowNanos = end;
    }

    /** Steps that are due some time. */
    public int waiting() {
        return steps.size();
    }

    public void settle() {
        pass(0);
    }

    /** In steps of 10 ms; how many ms it took. */
    public long passUntil(BooleanSupplier condition, long msMax) {
        settle();
        for (long ms = 0; ms <= msMax; ms += 10) {
            if (condition.getAsBoolean()) {
                return ms;
            }
            pass(10);
        }
        throw new AssertionError("not within " + msMax + " ms");
    }

    @Override
    public void close() {}
}
