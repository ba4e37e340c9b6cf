package io.catchment.wal.lane;

import io.catchment.wal.StoreRef;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/** Stores that failed this lane lately: its next extents had better lie elsewhere. Owned by the lane's loop. */
final class AvoidedStores {
    private final LongSupplier nanoTime;
    private final long avoidNanos;
    private final Map<StoreRef, Long> since = new HashMap<>();

    AvoidedStores(LongSupplier nanoTime, long avoidMs) {
        this.nanoTime = nanoTime;
        this.avoidNanos = avoidMs * 1_000_000;
    }

    void add(StoreRef store) {
        since.put(store, nanoTime.getAsLong());
    }

    /** What they failed before says nothing any more. */
    void forget(Set<StoreRef> stores) {
        since.keySet().removeAll(stores);
    }

    Set<StoreRef> now() {
        long nanos = nanoTime.getAsLong();
        since.values().removeIf(failed -> nanos - failed > avoidNanos);
        return new HashSet<>(since.keySet());
    }

    boolean anyOf(OpenExtent extent) {
        Set<StoreRef> avoided = now();
        return extent.anyFailed() || extent.descriptor.ensemble().stream().anyMatch(avoided::contains);
    }
}
