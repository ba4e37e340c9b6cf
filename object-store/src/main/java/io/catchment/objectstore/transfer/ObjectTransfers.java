package io.catchment.objectstore.transfer;

import io.catchment.objectstore.ObjectStore;
import java.util.EnumMap;
import java.util.Map;

/** Thread-safe. An object store as each class of transfers sees it; all share one scheduler. Owns both. */
public final class ObjectTransfers implements AutoCloseable {
    private final ObjectStore store;
    private final TransferScheduler scheduler;
    private final Map<TransferClass, ObjectStore> views = new EnumMap<>(TransferClass.class);

    public ObjectTransfers(ObjectStore store, TransferScheduler scheduler) {
        this.store = store;
        this.scheduler = scheduler;
        for (TransferClass each : TransferClass.values()) {
            views.put(each, new ScheduledStore(store, scheduler, each));
        }
    }

    /** Not to be closed. */
    @SuppressWarnings("NullAway") // there is one for each
    public ObjectStore of(TransferClass of) {
        return views.get(of);
    }

    public TransferScheduler scheduler() {
        return scheduler;
    }

    @Override
    public void close() {
        scheduler.close();
        store.close();
    }
}
