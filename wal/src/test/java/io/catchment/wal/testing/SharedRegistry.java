package io.catchment.wal.testing;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A control plane in memory that several nodes share. Guarded by its monitor. */
public final class SharedRegistry {
    /** @param epoch that may seal it: the writer's, later the recovery's */
    public record Extent(
            ExtentDescriptor descriptor, long epoch, boolean recovering, long length, List<StoreRef> holders) {
        public boolean sealed() {
            return length >= 0;
        }
    }

    private final int replicas;
    private final int ackQuorum;
    private final Map<Integer, StoreRef> stores = new TreeMap<>();
    private final Map<Integer, Long> epochs = new TreeMap<>();
    private final Map<Long, Extent> extents = new TreeMap<>();
    private final Set<StoreRef> leaving = new HashSet<>();
    private CompletionStage<Void> answers = CompletableFuture.completedStage(null);
    private long nextEpoch = 1;
    private long nextExtent = 1;

    public SharedRegistry(int replicas, int ackQuorum) {
        this.replicas = replicas;
        this.ackQuorum = ackQuorum;
    }

    /** A new epoch of a node with this store. */
    public synchronized ExtentRegistry register(StoreRef store) {
        long epoch = nextEpoch++;
        stores.put(store.nodeId(), store);
        epochs.put(store.nodeId(), epoch);
        return new Client(store.nodeId(), epoch);
    }

    /** The node's epoch is over; it gets no new extents until it registers again. */
    public synchronized void fence(int nodeId) {
        epochs.put(nodeId, nextEpoch++);
        stores.remove(nodeId);
    }

    /** No further extent lies on this store. */
    public synchronized void drain(StoreRef store) {
        leaving.add(store);
    }

    /** Extents that are created from now on are answered only after that. */
    public synchronized void answerAfter(CompletionStage<Void> release) {
        answers = release;
    }

    /** Extents ever created. */
    public synchronized int created() {
        return extents.size();
    }

    public synchronized List<ExtentDescriptor> openOf(int nodeId) {
        return extents.values().stream()
                .filter(extent -> !extent.sealed() && extent.descriptor.writerNodeId() == nodeId)
                .map(Extent::descriptor)
                .toList();
    }

    public synchronized Extent extent(long extentId) {
        Extent extent = extents.get(extentId);
        if (extent == null) {
            throw new AssertionError("extent " + extentId + " was never created");
        }
        return extent;
    }

    private final class Client implements ExtentRegistry {
        private final int nodeId;
        private final long epoch;

        Client(int nodeId, long epoch) {
            this.nodeId = nodeId;
            this.epoch = epoch;
        }

        private void requireCurrent() {
            if (epochs.getOrDefault(nodeId, 0L) != epoch) {
                throw new FencedException("epoch " + epoch + " of node " + nodeId + " is over");
            }
        }

        @Override
        public CompletionStage<ExtentDescriptor> create(Lane lane) {
            return create(lane, Set.of());
        }

        @Override
        public CompletionStage<ExtentDescriptor> create(Lane lane, Set<StoreRef> avoid) {
            synchronized (SharedRegistry.this) {
                requireCurrent();
                List<StoreRef> order = new ArrayList<>();
                stores.values().stream()
                        .filter(store -> store.nodeId() == nodeId)
                        .forEach(order::add);
                stores.values().stream()
                        .filter(store -> store.nodeId() != nodeId)
                        .forEach(order::add);
                order.removeAll(leaving);
                order.sort((a, b) -> Boolean.compare(avoid.contains(a), avoid.contains(b)));
                List<StoreRef> ensemble = order.subList(0, Math.min(replicas, order.size()));
                ExtentDescriptor descriptor =
                        new ExtentDescriptor(nextExtent++, nodeId, epoch, lane, ensemble, ackQuorum);
                extents.put(descriptor.extentId(), new Extent(descriptor, epoch, false, -1, List.of()));
                return answers.thenApply(released -> descriptor);
            }
        }

        @Override
        public CompletionStage<Void> seal(long extentId, long length, List<StoreRef> holders) {
            synchronized (SharedRegistry.this) {
                requireCurrent();
                Extent extent = extent(extentId);
                if (extent.sealed() && extent.length != length) {
                    throw new FencedException("extent " + extentId + " is sealed at " + extent.length);
                }
                if (!extent.sealed()) {
                    if (!extent.recovering && extent.epoch != epoch) {
                        throw new FencedException("extent " + extentId + " is not this writer's");
                    }
                    extents.put(
                            extentId, new Extent(extent.descriptor, extent.epoch, extent.recovering, length, holders));
                }
                return CompletableFuture.completedStage(null);
            }
        }

        @Override
        public CompletionStage<Long> startRecovery(long extentId) {
            synchronized (SharedRegistry.this) {
                requireCurrent();
                Extent extent = extent(extentId);
                if (extent.sealed()) {
                    throw new FencedException("extent " + extentId + " is sealed: nothing to recover");
                }
                long recovery = nextEpoch++;
                extents.put(extentId, new Extent(extent.descriptor, recovery, true, -1, List.of()));
                return CompletableFuture.completedStage(recovery);
            }
        }

        @Override
        public CompletionStage<List<StoreRef>> standIns(ExtentDescriptor extent) {
            synchronized (SharedRegistry.this) {
                return CompletableFuture.completedStage(stores.values().stream()
                        .filter(store -> !extent.ensemble().contains(store))
                        .toList());
            }
        }
    }
}
