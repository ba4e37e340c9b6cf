package io.catchment.objectstore.retry;

import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * Owned by its lock. Closed: requests pass. Open, after so many failures in a row: none passes for a while. Then one passes as a probe: its
 * success closes the circuit, its failure opens it for longer. So a store that is away costs one request now and then.
 */
final class CircuitBreaker {
    private enum State {
        CLOSED,
        OPEN,
        PROBING
    }

    private final RetryPolicy policy;
    private final LongSupplier nanoTime;
    private final RandomGenerator random;
    private final StoreListener listener;
    private final ReentrantLock lock = new ReentrantLock();
    private State state = State.CLOSED;
    private int failures;
    private long openMs;
    private long openUntilNanos;
    private long probeNumber;

    CircuitBreaker(RetryPolicy policy, LongSupplier nanoTime, RandomGenerator random, StoreListener listener) {
        this.policy = policy;
        this.nanoTime = nanoTime;
        this.random = random;
        this.listener = listener;
    }

    /** A pass to give back with {@link #succeeded} or {@link #failed}; negative: do not send. */
    long tryPass() {
        lock.lock();
        try {
            if (state == State.CLOSED) {
                return 0;
            }
            if (state == State.PROBING || nanoTime.getAsLong() - openUntilNanos < 0) {
                return -1;
            }
            state = State.PROBING;
            return ++probeNumber;
        } finally {
            lock.unlock();
        }
    }

    /** The store answered, be it that there is no such object. */
    void succeeded() {
        boolean closes;
        lock.lock();
        try {
            closes = state != State.CLOSED;
            state = State.CLOSED;
            failures = 0;
            openMs = 0;
        } finally {
            lock.unlock();
        }
        if (closes) {
            listener.circuit(false);
        }
    }

    void failed(long pass) {
        boolean opens = false;
        lock.lock();
        try {
            failures++;
            boolean probe = state == State.PROBING && pass == probeNumber;
            if (probe || (state == State.CLOSED && failures >= policy.failuresToOpen())) {
                opens = state == State.CLOSED;
                openMs = openMs == 0 ? policy.openMs() : Math.min(policy.openMaxMs(), openMs * 2);
                // Between half and all of it, so that several nodes do not come back at the same moment.
                long jitteredMs = openMs / 2 + random.nextLong(openMs / 2 + 1);
                openUntilNanos = nanoTime.getAsLong() + jitteredMs * 1_000_000;
                state = State.OPEN;
            }
        } finally {
            lock.unlock();
        }
        if (opens) {
            listener.circuit(true);
        }
    }
}
