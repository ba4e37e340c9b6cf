package io.catchment.wal.testing;

import io.catchment.wal.loop.Loop;
import java.util.PriorityQueue;

/** Tasks run when the test says so. */
public final class ManualLoop implements Loop {
    private record Task(long atMs, long number, Runnable run) {}

    private final PriorityQueue<Task> tasks = new PriorityQueue<>(
            (a, b) -> a.atMs != b.atMs ? Long.compare(a.atMs, b.atMs) : Long.compare(a.number, b.number));
    private long nowMs;
    private long number;

    @Override
    public void execute(Runnable task) {
        schedule(0, task);
    }

    @Override
    public Timer schedule(long delayMs, Runnable task) {
        Task scheduled = new Task(nowMs + delayMs, number++, task);
        tasks.add(scheduled);
        return () -> tasks.remove(scheduled);
    }

    public void advance(long ms) {
        long until = nowMs + ms;
        while (!tasks.isEmpty() && tasks.peek().atMs <= until) {
            Task next = tasks.remove();
            nowMs = Math.max(nowMs, next.atMs);
            next.run.run();
        }
        nowMs = until;
    }
}
