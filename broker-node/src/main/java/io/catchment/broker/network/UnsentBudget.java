package io.catchment.broker.network;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Bytes of answers that were given to sockets and not yet taken by them, over all connections. Thread-safe. It does not refuse
 * an answer (its bytes exist already); it says when no further large answer should be begun, and who waits hears when that ends.
 */
final class UnsentBudget {
    private final long limitBytes;
    private final AtomicLong unsent = new AtomicLong();
    private final ConcurrentLinkedQueue<Runnable> waiters = new ConcurrentLinkedQueue<>();

    UnsentBudget(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    boolean exhausted() {
        return unsent.get() >= limitBytes;
    }

    /** The more lies unsent the smaller answers should be, so that there is room for those who read: half of it for the small ones. */
    int answerBytesMax() {
        long share = (limitBytes / 2 - unsent.get()) / 4;
        return (int) Math.max(AnswerWindow.BYTES_MIN, Math.min(share, Integer.MAX_VALUE));
    }

    boolean someoneWaits() {
        return !waiters.isEmpty();
    }

    long bytes() {
        return unsent.get();
    }

    void add(long bytes) {
        unsent.addAndGet(bytes);
    }

    void remove(long bytes) {
        if (unsent.addAndGet(-bytes) < limitBytes) {
            wakeAll();
        }
    }

    /** {@code wake} runs once, on any thread, when there is room again; maybe at once. */
    void awaitRoom(Runnable wake) {
        waiters.add(wake);
        if (!exhausted()) {
            wakeAll();
        }
    }

    private void wakeAll() {
        for (Runnable next = waiters.poll(); next != null; next = waiters.poll()) {
            next.run();
        }
    }
}
