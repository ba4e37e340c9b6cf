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

        void end() {
            over = true;
        }

        boolean isOver() {
            return over;
        }

        @Override
        public Loop loop(String name) {
            boolean disk = name.startsWith("disk") || name.equals("maintenance") || name.startsWith("read");
            return new SimLoop(this, disk ? 3.0 : 0.05);
        }

        @Override
        public long nanoTime() {
            return nowNanos;
        }

        @Override
        public void close() {
            end();
        }
    }

    private final class SimLoop implements Loop {
        private final Life life;
        private final double taskMs;
        private long lastNanos;

        SimLoop(Life life, double taskMs) {
            this.life = life;
            this.taskMs = taskMs;
        }

        @Override
        public void execute(Runnable task) {
            long delay = (long) (random.nextDouble() * taskMs * (random.nextInt(50) == 0 ? 40e6 : 1e6));
            lastNanos = Math.max(lastNanos, nowNanos + delay);
            at(lastNanos, () -> run(task));
        }

        @Override
        public Timer schedule(long delayMs, Runnable task) {
            return at(nowNanos + delayMs * 1_000_000L, () -> run(task));
        }

        private void run(Runnable task) {
            if (!life.isOver()) {
                task.run();
            }
        }
    }
}
