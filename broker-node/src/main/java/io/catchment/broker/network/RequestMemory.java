package io.catchment.broker.network;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The budget of request bytes in memory, over all connections. Thread-safe: reserving and giving back are atomic counters as
 * long as nobody waits; the queue of waiters has a lock. Waiters are served first come, first served, so a large request is
 * never starved by small ones; while one waits, later ones queue behind it.
 */
final class RequestMemory {
    private final long limitBytes;
    private final AtomicLong used = new AtomicLong();
    private final AtomicInteger waiting = new AtomicInteger();
    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<Ticket> queue = new ArrayDeque<>();

    RequestMemory(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    /** Someone's place in the queue. State is guarded by the lock of the memory. */
    static final class Ticket {
        private final int bytes;
        private final Runnable granted;
        private State state = State.WAITING;

        private Ticket(int bytes, Runnable granted) {
            this.bytes = bytes;
            this.granted = granted;
        }

        private enum State {
            WAITING,
            GRANTED,
            CANCELLED
        }
    }

    boolean tryReserve(int bytes) {
        return waiting.get() == 0 && take(bytes);
    }

    /** Queues up. {@code granted} runs on whatever thread gives memory back, once the bytes are reserved. */
    Ticket reserveLater(int bytes, Runnable granted) {
        if (bytes > limitBytes) {
            throw new IllegalArgumentException(bytes + " bytes can never fit into " + limitBytes);
        }
        Ticket ticket = new Ticket(bytes, granted);
        lock.lock();
        try {
            queue.add(ticket);
            waiting.incrementAndGet();
        } finally {
            lock.unlock();
        }
        serveWaiters();
        return ticket;
    }

    /** Leaves the queue; what was already granted is given back. */
    void cancel(Ticket ticket) {
        boolean giveBack;
        lock.lock();
        try {
            giveBack = ticket.state == Ticket.State.GRANTED;
            if (ticket.state == Ticket.State.WAITING) {
                waiting.decrementAndGet();
            }
            ticket.state = Ticket.State.CANCELLED;
        } finally {
            lock.unlock();
        }
        if (giveBack) {
            release(ticket.bytes);
        } else {
            serveWaiters();
        }
    }

    void release(int bytes) {
        long left = used.addAndGet(-bytes);
        if (left < 0) {
            throw new IllegalStateException("more request memory given back than was reserved: " + left);
        }
        if (waiting.get() > 0) {
            serveWaiters();
        }
    }

    long usedBytes() {
        return used.get();
    }

    int waiting() {
        return waiting.get();
    }

    private boolean take(int bytes) {
        long now = used.get();
        while (now + bytes <= limitBytes) {
            if (used.compareAndSet(now, now + bytes)) {
                return true;
            }
            now = used.get();
        }
        return false;
    }

    private void serveWaiters() {
        for (Ticket next = nextGranted(); next != null; next = nextGranted()) {
            next.granted.run();
        }
    }

    private @Nullable Ticket nextGranted() {
        lock.lock();
        try {
            while (true) {
                Ticket head = queue.peek();
                if (head == null) {
                    return null;
                }
                if (head.state == Ticket.State.CANCELLED) {
                    queue.remove();
                } else if (take(head.bytes)) {
                    queue.remove();
                    head.state = Ticket.State.GRANTED;
                    waiting.decrementAndGet();
                    return head;
                } else {
                    return null;
                }
            }
        } finally {
            lock.unlock();
        }
    }
}
