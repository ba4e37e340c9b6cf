package io.catchment.objectstore.transfer;

import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A store behind a link, and the clock, in one thread: each transfer takes a fixed time and then its bytes at a rate of its own. */
final class SimulatedLink implements TransferScheduler.Alarm {
    private final long latencyNanos;
    private final double bytesPerSecond;
    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private long nowNanos = 1_000_000_007L;
    private long number;

    SimulatedLink(long latencyNanos, double bytesPerSecond) {
        this.latencyNanos = latencyNanos;
        this.bytesPerSecond = bytesPerSecond;
    }

    private record Event(long atNanos, long number, Runnable task) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(atNanos, other.atNanos);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    long nanoTime() {
        return nowNanos;
    }

    @Override
    public void in(long nanos, Runnable task) {
        events.add(new Event(nowNanos + nanos, number++, task));
    }

    CompletionStage<Long> transfer(long bytes) {
        CompletableFuture<Long> done = new CompletableFuture<>();
        in(latencyNanos + (long) (bytes / bytesPerSecond * 1e9), () -> done.complete(bytes));
        return done;
    }

    /** Lets so much time pass. */
    void run(long nanos) {
        long endNanos = nowNanos + nanos;
        while (!events.isEmpty() && events.peek().atNanos() <= endNanos) {
            Event next = events.remove();
            nowNanos = next.atNanos();
            next.task().run();
        }
        nowNanos = endNanos;
    }
}
