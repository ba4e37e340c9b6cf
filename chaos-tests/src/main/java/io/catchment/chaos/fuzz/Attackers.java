package io.catchment.chaos.fuzz;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/** Threads that attack, each one attack after the other. Attack N of a seed is the same whichever thread does it. */
final class Attackers implements AutoCloseable {
    /** What a port is sent. */
    record Target(Port port, Function<SplittableRandom, byte[]> frames, byte[] greeting) {}

    private final List<Target> targets;
    private final long seed;
    private final AtomicLong next;
    private final AtomicLong attacks = new AtomicLong();
    private final AtomicLong frames = new AtomicLong();
    private final Map<Port.Kind, AtomicLong> byKind = new TreeMap<>();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean stop;

    /** @param first number of the first attack */
    Attackers(List<Target> targets, long seed, long first) {
        this.targets = List.copyOf(targets);
        this.seed = seed;
        this.next = new AtomicLong(first);
        for (Target target : targets) {
            byKind.putIfAbsent(target.port.kind(), new AtomicLong());
        }
    }

    void start(int count) {
        for (int i = 0; i < count; i++) {
            Thread thread = new Thread(this::run, "attacker-" + i);
            threads.add(thread);
            thread.start();
        }
    }

    private void run() {
        while (!stop) {
            one(next.getAndIncrement());
        }
    }

    void one(long number) {
        var random = new SplittableRandom(seed + number * 0x9E3779B97F4A7C15L);
        Target target = Words.pick(targets, random);
        long sent = new Attack(target.port, random.nextLong(), target.frames, target.greeting, () -> stop).run();
        attacks.incrementAndGet();
        frames.addAndGet(sent);
        AtomicLong count = byKind.get(target.port.kind());
        if (count != null) {
            count.addAndGet(sent);
        }
    }

    String describe() {
        return "%d attacks, %d frames %s, the last one is number %d"
                .formatted(attacks.get(), frames.get(), byKind, next.get() - 1);
    }

    @Override
    public void close() {
        stop = true;
        for (Thread thread : threads) {
            try {
                thread.join(TimeUnit.SECONDS.toMillis(30));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
