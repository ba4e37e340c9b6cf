package io.catchment.objectstore.transfer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One direction: a queue for each class, places, and a bandwidth. All state is owned by {@code lock}, which is never held while a transfer is
 * started; one thread at a time starts them, whichever brought the occasion.
 */
final class TransferChannel {
    private static final TransferClass[] CLASSES = TransferClass.values();
    /** What a request costs besides its bytes, in bytes: many small ones are to share as well. */
    private static final long COST_MIN = 64 << 10;

    /** A transfer that has not begun. No record: two may look alike and are not the same. */
    static final class Waiting {
        /** Owned by the channel's lock until it begins or is refused; the same from then on. */
        private TransferClass of;

        private final long bytes;
        private final long sinceNanos;
        private final Runnable start;
        private final Runnable abandon;

        /**
         * @param start must not block, and ends with {@link #ended} at some time
         * @param abandon instead of it, when the channel was closed
         */
        Waiting(TransferClass of, long bytes, long sinceNanos, Runnable start, Runnable abandon) {
            this.of = of;
            this.bytes = bytes;
            this.sinceNanos = sinceNanos;
            this.start = start;
            this.abandon = abandon;
        }

        /** Once it has begun, or was refused. */
        TransferClass of() {
            return of;
        }

        long sinceNanos() {
            return sinceNanos;
        }

        void abandon() {
            abandon.run();
        }

        private long cost() {
            return Math.max(COST_MIN, bytes);
        }
    }

    private final int places;
    private final int queueMax;
    private final LongSupplier nanoTime;
    private final TransferScheduler.Alarm alarm;
    private final ReentrantLock lock = new ReentrantLock();
    private final List<ArrayDeque<Waiting>> queues = new ArrayList<>();
    private final int[] running = new int[CLASSES.length];
    private final PriorityShares turns = new PriorityShares(TransferClass.sharesMin());
    private final Bandwidth bandwidth;
    private final long[] costs = new long[CLASSES.length];
    private final boolean[] ready = new boolean[CLASSES.length];
    private boolean wakeUpSet;
    private boolean closed;
    private final AtomicInteger occasions = new AtomicInteger();

    TransferChannel(
            int places, long bytesPerSecond, int queueMax, LongSupplier nanoTime, TransferScheduler.Alarm alarm) {
        this.places = places;
        this.queueMax = queueMax;
        this.nanoTime = nanoTime;
        this.alarm = alarm;
        this.bandwidth = new Bandwidth(bytesPerSecond, nanoTime.getAsLong());
        for (int i = 0; i < CLASSES.length; i++) {
            queues.add(new ArrayDeque<>());
        }
    }

    enum Offered {
        QUEUED,
        FULL,
        CLOSED
    }

    /** Follow it by {@link #startDue}. */
    Offered offer(Waiting waiting) {
        lock.lock();
        try {
            ArrayDeque<Waiting> queue = queues.get(waiting.of.rank());
            if (closed) {
                return Offered.CLOSED;
            }
            if (queue.size() >= queueMax) {
                return Offered.FULL;
            }
            queue.add(waiting);
            return Offered.QUEUED;
        } finally {
            lock.unlock();
        }
    }

    /** Follow it by {@link #startDue}. False when it was started, or taken out, already, or is as urgent, or there is no room. */
    boolean hasten(Waiting waiting, TransferClass to) {
        lock.lock();
        try {
            ArrayDeque<Waiting> queue = queues.get(to.rank());
            if (to.rank() >= waiting.of.rank()
                    || queue.size() >= queueMax
                    || !queues.get(waiting.of.rank()).remove(waiting)) {
                return false;
            }
            waiting.of = to;
            queue.add(waiting);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** False when it was started, or taken out, already. */
    boolean remove(Waiting waiting) {
        lock.lock();
        try {
            return queues.get(waiting.of.rank()).remove(waiting);
        } finally {
            lock.unlock();
        }
    }

    /** Nothing is taken any more; what waited. */
    List<Waiting> close() {
        lock.lock();
        try {
            closed = true;
            List<Waiting> left = new ArrayList<>();
            queues.forEach(queue -> {
                left.addAll(queue);
                queue.clear();
            });
            return left;
        } finally {
            lock.unlock();
        }
    }

    /** A transfer has given its place back. */
    void ended(TransferClass of) {
        lock.lock();
        try {
            running[of.rank()]--;
        } finally {
            lock.unlock();
        }
        startDue();
    }

    /** Bytes beyond those of the transfers themselves: what is sent again. */
    void charge(long bytes) {
        lock.lock();
        try {
            bandwidth.take(bytes);
        } finally {
            lock.unlock();
        }
    }

    void giveBack(long bytes) {
        lock.lock();
        try {
            bandwidth.giveBack(bytes);
        } finally {
            lock.unlock();
        }
    }

    int waiting(TransferClass of) {
        lock.lock();
        try {
            return queues.get(of.rank()).size();
        } finally {
            lock.unlock();
        }
    }

    int running(TransferClass of) {
        lock.lock();
        try {
            return running[of.rank()];
        } finally {
            lock.unlock();
        }
    }

    /** Starts what may be. A loop, not a recursion: transfers that end at once bring further occasions. */
    void startDue() {
        if (occasions.getAndIncrement() != 0) {
            return;
        }
        int seen = 1;
        while (seen != 0) {
            for (Waiting next = take(); next != null; next = take()) {
                next.start.run();
            }
            seen = occasions.addAndGet(-seen);
        }
    }

    private @Nullable Waiting take() {
        lock.lock();
        try {
            boolean anything = false;
            for (TransferClass each : CLASSES) {
                int rank = each.rank();
                Waiting head = queues.get(rank).peekFirst();
                costs[rank] = head == null ? -1 : head.cost();
                ready[rank] = head != null && hasPlace(each);
                anything |= ready[rank];
            }
            if (!anything) {
                return null;
            }
            long waitNanos = bandwidth.waitNanos(nanoTime.getAsLong());
            if (waitNanos > 0) {
                wakeUpIn(waitNanos);
                return null;
            }
            int turn = turns.next(costs, ready);
            Waiting next = queues.get(turn).removeFirst();
            running[turn]++;
            bandwidth.take(next.bytes);
            return next;
        } finally {
            lock.unlock();
        }
    }

    /** Of each class's places those are taken that others with no more places have, and it has itself. */
    private boolean hasPlace(TransferClass of) {
        for (TransferClass bound : CLASSES) {
            if (bound.mayTakeAsManyAs(of)) {
                int taken = 0;
                for (TransferClass each : CLASSES) {
                    taken += bound.mayTakeAsManyAs(each) ? running[each.rank()] : 0;
                }
                if (taken >= bound.placesMax(places)) {
                    return false;
                }
            }
        }
        return true;
    }

    private void wakeUpIn(long nanos) {
        if (!wakeUpSet) {
            wakeUpSet = true;
            alarm.in(nanos, this::wokenUp);
        }
    }

    private void wokenUp() {
        lock.lock();
        try {
            wakeUpSet = false;
        } finally {
            lock.unlock();
        }
        startDue();
    }
}
