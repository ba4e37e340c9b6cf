package io.catchment.wal.testing;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A control plane that answers at once. Thread-safe by its monitor. */
public final class MemoryRegistry implements ExtentRegistry {
    private final Map<Long, ExtentDescriptor> open = new TreeMap<>();
    private final Map<Long, Long> sealed = new TreeMap<>();
    private final int nodeId;
    private String storeId = "";
    private long nextExtent;
    private long epoch = 1;

    public MemoryRegistry(int nodeId) {
        this(nodeId, 1);
    }

    public MemoryRegistry(int nodeId, long firstExtent) {
        this.nodeId = nodeId;
        this.nextExtent = firstExtent;
    }

    /** A new run of the node, maybe with another directory. */
    public synchronized void register(String store) {
        storeId = store;
        epoch++;
    }

    @Override
    public synchronized CompletionStage<ExtentDescriptor> create(Lane lane) {
        ExtentDescriptor extent =
                new ExtentDescriptor(nextExtent++, nodeId, epoch, lane, List.of(new StoreRef(nodeId, storeId)), 1);
        open.put(extent.extentId(), extent);
        return CompletableFuture.completedStage(extent);
    }

    @Override
    public synchronized CompletionStage<Void> seal(long extentId, long length, List<StoreRef> holders) {
        Long known = sealed.putIfAbsent(extentId, length);
        if (known != null && known != length) {
            throw new IllegalStateException(
                    "extent " + extentId + " sealed at " + known + " and at " + length + " (W2)");
        }
        open.remove(extentId);
        return CompletableFuture.completedStage(null);
    }

    @Override
    public synchronized CompletionStage<Long> startRecovery(long extentId) {
        return CompletableFuture.completedStage(++epoch);
    }

    public synchronized List<ExtentDescriptor> open() {
        return new ArrayList<>(open.values());
    }

    public synchronized Map<Long, Long> sealed() {
        return new TreeMap<>(sealed);
    }
}
