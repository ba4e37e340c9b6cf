package io.catchment.broker.read;

import java.util.ArrayDeque;
import java.util.function.BooleanSupplier;

/**
 * So many at a time; who comes later waits, in order. Guarded by its lock; tasks run outside of it, on the thread that entered or left. As many wait as
 * have memory of the {@link ReadBudget} already, which bounds them.
 */
final class ReadGate {
    private final Object lock = new Object();
    private final ArrayDeque<BooleanSupplier> waiting = new ArrayDeque<>();
    private int free;

    ReadGate(int places) {
        this.free = places;
    }

    /** Runs the task when there is a place. If it answers true it leaves once what it began is over; false when it needs no place any more. */
    void enter(BooleanSupplier task) {
        synchronized (lock) {
            if (free == 0) {
                waiting.add(task);
                return;
            }
            free--;
        }
        if (!task.getAsBoolean()) {
            leave();
        }
    }

    void leave() {
        BooleanSupplier next;
        do {
            synchronized (lock) {
                next = waiting.poll();
                if (next == null) {
                    free++;
                    return;
                }
            }
        } while (!next.getAsBoolean());
    }
}
