package io.catchment.broker.partition;

import io.catchment.broker.partition.PartitionView.AdvanceListener;
import java.util.ArrayList;
import java.util.List;

/** Who waits for a partition to advance. Guarded by its own lock; listeners are called outside of it. */
public final class WatcherList {
    private final List<AdvanceListener> listeners = new ArrayList<>(1);

    public synchronized void add(AdvanceListener listener) {
        listeners.add(listener);
    }

    public synchronized void remove(AdvanceListener listener) {
        for (int i = listeners.size() - 1; i >= 0; i--) {
            if (listeners.get(i) == listener) {
                listeners.remove(i);
                return;
            }
        }
    }

    public synchronized boolean isEmpty() {
        return listeners.isEmpty();
    }

    public void advanced(PartitionView partition) {
        AdvanceListener[] present;
        synchronized (this) {
            if (listeners.isEmpty()) {
                return;
            }
            present = listeners.toArray(AdvanceListener[]::new);
        }
        for (AdvanceListener listener : present) {
            listener.advanced(partition);
        }
    }
}
