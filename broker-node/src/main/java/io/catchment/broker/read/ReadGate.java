package io.catchment.broker.read;

import java.util.ArrayDeque;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * So many at a time; who comes later waits, in order. Guarded by its lock; tasks run outside of it, on the thread that entered or left. As many wait as
 * have memory of the {@link ReadBudget} already, which bounds them.
 */
final class ReadGate {
    private final Object lock = new Object();
    private final ArrayDeque<BooleanSupplier> waiting = new ArrayDeque<>();
    private int free;
    /** Somebody hands free places on; who leaves meanwhile leaves the place to him. */
    private boolean handsOn;

    ReadGate(int places) {
        this.free = places;
    }

    /** Runs the task, which must not throw, when there is a place. If it answers true it leaves once what it began is over; false when it needs no place any more. */
    void enter(BooleanSupplier task) {
        synchronized (lock) {
            if (free == 0 || !waiting.isEmpty()) {
                waiting.add(task);
                return;
            }
            free--;
        }
        if (!task.getAsBoolean()) {
            leave();
        }
    }

    /** A loop, not a recursion: what fails at once, as all reads of a disk that hangs, leaves while it is run here. */
    void leave() {
        synchronized (lock) {
            free++;
            if (handsOn) {
                return;
            }
            handsOn = true;
        }
        for (BooleanSupplier next = next(); next != null; next = next()) {
            if (!next.getAsBoolean()) {
                leave();
            }
        }
    }

    private @Nullable BooleanSupplier next() {
        synchronized (lock) {
            BooleanSupplier next = free == 0 ? null : waiting.poll();
            if (next == null) {
                handsOn = false;
            } else {
                free--;
            }
            return next;
        }
    }
}
