package io.catchment.controlplane.server;

import java.util.PriorityQueue;
import java.util.Random;
import java.util.function.BooleanSupplier;

/** All of a simulation's threads as one: tasks at times, run in order of time, then of arrival. Nothing else moves the clock. */
final class SimulatedTime {
    private final PriorityQueue<Task> tasks = new PriorityQueue<>();
    private final Random random;
    private long nowMs = 1_000_000;
    private long arrivals;

    SimulatedTime(Random random) {
        this.random = random;
    }

    private record Task(long atMs, long arrival, Runnable work) implements Comparable<Task> {
        @Override
        public int compareTo(Task other) {
            int byTime = Long.compare(atMs, other.atMs);
            return byTime != 0 ? byTime : Long.compare(arrival, other.arrival);
        }
    }

    long nowMs() {
        return nowMs;
    }

    void at(long delayMs, Runnable work) {
        tasks.add(new Task(nowMs + delayMs, arrivals++, work));
    }

    void soon(int delayMsMax, Runnable work) {
        at(random.nextInt(delayMsMax + 1), work);
    }

    void runFor(long ms) {
        long end = nowMs + ms;
        while (!tasks.isEmpty() && tasks.peek().atMs() <= end) {
            step();
        }
        nowMs = end;
    }

    /** Runs until the condition holds; false when it does not within the time. */
    boolean runUntil(BooleanSupplier condition, long msMax) {
        long end = nowMs + msMax;
        while (!condition.getAsBoolean()) {
            if (tasks.isEmpty() || tasks.peek().atMs() > end) {
                return false;
            }
            step();
        }
        return true;
    }

    private void step() {
        Task task = tasks.remove();
        nowMs = task.atMs();
        task.work().run();
    }

    /** One process's loop: its tasks die with it. Its monotonic clock is its own: it starts anywhere and runs fast or slow. */
    final class Loop implements ControlLoop {
        private final long startedMs = nowMs;
        private final long clockStartMs = random.nextInt(1_000_000_000);
        private final double clockRate = 0.95 + random.nextDouble() / 10;
        private long pausedUntilMs;
        private boolean ended;

        boolean isEnded() {
            return ended;
        }

        /** As SIGSTOP and SIGCONT: nothing runs meanwhile, the clock goes on. No effect during another pause. */
        void pause(long ms) {
            if (nowMs >= pausedUntilMs) {
                pausedUntilMs = nowMs + ms;
            }
        }

        @Override
        public boolean execute(Runnable task) {
            schedule(task, 0);
            return !ended;
        }

        @Override
        public void schedule(Runnable task, long delayMs) {
            if (!ended) {
                at(Math.round(delayMs / clockRate), () -> runUnlessPaused(task));
            }
        }

        private void runUnlessPaused(Runnable task) {
            if (nowMs < pausedUntilMs) {
                at(pausedUntilMs - nowMs, () -> runUnlessPaused(task));
            } else if (!ended) {
                task.run();
            }
        }

        @Override
        public long monotonicMs() {
            return clockStartMs + Math.round((nowMs - startedMs) * clockRate);
        }

        @Override
        public long wallClockMs() {
            return nowMs;
        }

        @Override
        public void close() {
            ended = true;
        }
    }
}
