package io.catchment.wal.simulation;

import io.catchment.wal.loop.Loop;
import io.catchment.wal.loop.Loops;
import java.util.PriorityQueue;
import java.util.SplittableRandom;

/** Simulated time: events run one by one in the order of their times. Everything in a simulation runs on its one thread. */
final class SimScheduler {
    private static final class Event implements Comparable<Event> {
        private final long nanos;
        private final long sequence;
        private final Runnable task;
        private boolean cancelled;

        Event(long nanos, long sequence, Runnable task) {
            this.nanos = nanos;
            this.sequence = sequence;
            this.task = task;
        }

        @Override
        public int compareTo(Event other) {
            return nanos != other.nanos ? Long.compare(nanos, other.nanos) : Long.compare(sequence, other.sequence);
        }
    }

    private final SplittableRandom random;
    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private long nowNanos = 1_000_000_000L;
    private long sequence;

    SimScheduler(SplittableRandom random) {
        this.random = random;
    }

    long nowNanos() {
        return nowNanos;
    }

    Loop.Timer at(long nanos, Runnable task) {
        Event event = new Event(Math.max(nanos, nowNanos), sequence++, task);
        events.add(event);
        return () -> event.cancelled = true;
    }

    void afterMs(double ms, Runnable task) {
        at(nowNanos + (long) (ms * 1e6), task);
    }

    /** Runs the next event; false when there is none. */
    boolean step() {
        Event event = events.poll();
        while (event != null && event.cancelled) {
            event = events.poll();
        }
        if (event == null) {
            return false;
        }
        nowNanos = event.nanos;
        event.task.run();
        return true;
    }

    /** The threads of one run of the process; after {@link Life#end} nothing of it runs any more. */
    final class Life implements Loops {
        private boolean over;
        /** Until then the process is stopped (SIGSTOP, a long collection): what is due waits. */
        private long pausedUntilNanos;

        private double diskSlowness = 1;
        private double clockRate = 1;
        private long clockOffsetNanos;

        void end() {
            over = true;
        }

        boolean isOver() {
            return over;
        }

        void pauseMs(double ms) {
            pausedUntilNanos = Math.max(pausedUntilNanos, nowNanos + (long) (ms * 1e6));
        }

        void diskSlowness(double factor) {
            diskSlowness = factor;
        }

        /** This machine's clock began elsewhere and runs a little faster or slower than true time. */
        void clock(double rate, long offsetNanos) {
            clockRate = rate;
            clockOffsetNanos = offsetNanos;
        }

        /** Runs the task as soon as the process runs; not at all if it is gone by then. */
        void run(Runnable task) {
            if (!over) {
                if (nowNanos < pausedUntilNanos) {
                    at(pausedUntilNanos, () -> run(task));
                } else {
                    task.run();
                }
            }
        }

        @Override
        public Loop loop(String name) {
            boolean disk = name.startsWith("disk") || name.equals("maintenance") || name.startsWith("read");
            return new SimLoop(this, disk ? 3.0 : 0.05, disk);
        }

        @Override
        public long nanoTime() {
            return clockOffsetNanos + (long) (nowNanos * clockRate);
        }

        @Override
        public void close() {
            end();
        }
    }

    private final class SimLoop implements Loop {
        private final Life life;
        private final double taskMs;
        private final boolean disk;
        private long lastNanos;

        SimLoop(Life life, double taskMs, boolean disk) {
            this.life = life;
            this.taskMs = taskMs;
            this.disk = disk;
        }

        @Override
        public void execute(Runnable task) {
            double slowness = disk ? life.diskSlowness : 1;
            long delay = (long) (random.nextDouble() * taskMs * slowness * (random.nextInt(50) == 0 ? 40e6 : 1e6));
            lastNanos = Math.max(lastNanos, nowNanos + delay);
            at(lastNanos, () -> life.run(task));
        }

        @Override
        public Timer schedule(long delayMs, Runnable task) {
            return at(nowNanos + (long) (delayMs * 1e6 / life.clockRate), () -> life.run(task));
        }
    }
}
