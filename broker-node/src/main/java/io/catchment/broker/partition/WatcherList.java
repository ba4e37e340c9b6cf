package io.catchment.broker.partition;

import io.catchment.broker.partition.PartitionView.AdvanceListener;
import java.util.ArrayList;
import java.util.List;

/** Who waits for a partition to advance. Guarded by its own lock; listeners are called outside of it. */
final class WatcherList {
    private final List<AdvanceListener> listeners = new ArrayList<>(1);

    synchronized void add(AdvanceListener listener) {
        listeners.add(listener);
    }

    synchronized void remove(AdvanceListener listener) {
        for (int i = listeners.size() - 1; i >= 0; i--) {
            if (listeners.get(i) == listener) {
                listeners.remove(i);
                return;
            }
        }
    }

    void advanced(PartitionView partition) {
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
