package io.catchment.wal.simulation;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import io.catchment.wal.simulation.ClusterStream.Entry;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/**
 * The control plane of a simulated cluster: its state survives everything, its rules are those of the real one. Commands
 * take time; some are lost on the way there, some on the way back. W1 and W2 are checked where a length becomes final.
 */
final class SimControl {
    enum State {
        OPEN,
        RECOVERING,
        SEALED,
        PUBLISHED
    }

    static final class Extent {
        final ExtentDescriptor descriptor;
        State state = State.OPEN;
        long epoch;
        long length = -1;
        Set<StoreRef> holders = Set.of();
        /** Acknowledged frames of it, by where they end. */
        final TreeMap<Long, Entry> acknowledged = new TreeMap<>();
        /** Recovered by these lives now. */
        final List<SimScheduler.Life> recoverers = new ArrayList<>();

        /** Its writer knows of it: an answer may be lost. */
        boolean told;

        boolean repairing;
        /** What the last recovery said of it. */
        String lastWaiting = "";

        Extent(ExtentDescriptor descriptor) {
            this.descriptor = descriptor;
            this.epoch = descriptor.writerEpoch();
        }

        boolean decided() {
            return state == State.SEALED || state == State.PUBLISHED;
        }
    }

    private final SimScheduler scheduler;
    private final SplittableRandom random;
    private final int replicas;
    private final int ackQuorum;
    /** What writers are told A is: less than the truth for a mutation. */
    private final int toldQuorum;
    /** How many holders a sealed extent must have. */
    private final int holdersMin;

    final Map<Long, Extent> extents = new TreeMap<>();
    final Map<Integer, Long> epochs = new TreeMap<>();
    private final Map<Integer, StoreRef> stores = new TreeMap<>();
    /** Of nodes whose epoch is over, too. */
    private final Map<Integer, StoreRef> lastStores = new TreeMap<>();

    private final Set<Integer> draining = new TreeSet<>();
    private final Set<Integer> unreachable = new TreeSet<>();
    private long nextExtent = 1;
    private long nextEpoch = 1;
    IntConsumer created = node -> {};
    Runnable storesChanged = () -> {};

    SimControl(
            SimScheduler scheduler,
            SplittableRandom random,
            int replicas,
            int ackQuorum,
            int toldQuorum,
            int holdersMin) {
        this.scheduler = scheduler;
        this.random = random;
        this.replicas = replicas;
        this.ackQuorum = ackQuorum;
        this.toldQuorum = toldQuorum;
        this.holdersMin = holdersMin;
    }

    int replicas() {
        return replicas;
    }

    int ackQuorum() {
        return ackQuorum;
    }

    Client register(StoreRef store) {
        long epoch = nextEpoch++;
        epochs.put(store.nodeId(), epoch);
        stores.put(store.nodeId(), store);
        lastStores.put(store.nodeId(), store);
        draining.remove(store.nodeId());
        storesChanged.run();
        return new Client(store.nodeId(), epoch);
    }

    /** The node's epoch is over; it takes part again once it registers. */
    void fence(int node) {
        epochs.put(node, nextEpoch++);
        stores.remove(node);
        storesChanged.run();
    }

    /** Its store gets no further extents, as long as others are enough for them. */
    void drain(int node, boolean now) {
        if (now ? draining.add(node) : draining.remove(node)) {
            storesChanged.run();
        }
    }

    boolean isDraining(int node) {
        return draining.contains(node);
    }

    /** Where extents are placed, with the epochs of their nodes. */
    Map<StoreRef, Long> takers() {
        Map<StoreRef, Long> takers = new HashMap<>();
        stores.forEach((node, store) -> {
            if (!draining.contains(node)) {
                takers.put(store, epochs.getOrDefault(node, 0L));
            }
        });
        return takers;
    }

    /** Stores that no lane should have in its ensembles any more. */
    Set<StoreRef> leaving() {
        Map<StoreRef, Long> takers = takers();
        Set<StoreRef> leaving = new HashSet<>();
        if (takers.size() >= ackQuorum) {
            leaving.addAll(lastStores.values());
            leaving.removeAll(takers.keySet());
        }
        return leaving;
    }

    /** What others write, or wrote, to a node's store, and is not sealed. */
    List<Extent> openElsewhere(int node) {
        StoreRef store = stores.get(node);
        if (store == null) {
            return List.of();
        }
        return extents.values().stream()
                .filter(extent -> !extent.decided()
                        && extent.descriptor.writerNodeId() != node
                        && extent.descriptor.ensemble().contains(store))
                // One whose creation was not answered stays open as long as its writer's epoch
                .filter(extent -> extent.told || extent.state == State.RECOVERING)
                .toList();
    }

    boolean live(int node) {
        return stores.containsKey(node);
    }

    boolean placesOn(StoreRef store) {
        return stores.containsValue(store);
    }

    boolean current(int node, long epoch) {
        return live(node) && epochs.getOrDefault(node, 0L) == epoch;
    }

    void unreachable(int node, boolean now) {
        if (now) {
            unreachable.add(node);
        } else {
            unreachable.remove(node);
        }
    }

    boolean reaches(int node) {
        return !unreachable.contains(node);
    }

    void allReachable() {
        unreachable.clear();
    }

    /** Extents whose writer's epoch is over and whose length is open. */
    List<Extent> orphans() {
        return extents.values().stream()
                .filter(extent -> !extent.decided()
                        && !current(extent.descriptor.writerNodeId(), extent.descriptor.writerEpoch()))
                .toList();
    }

    private void decide(Extent extent, long length, List<StoreRef> holders) {
        if (!extent.acknowledged.isEmpty() && extent.acknowledged.lastKey() > length) {
            throw new AssertionError("W1: extent " + extent.descriptor + " is sealed at " + length
                    + ", acknowledged was up to " + extent.acknowledged.lastKey() + " (as " + extent.state + ")");
        }
        if (length > 0 && holders.size() < holdersMin) {
            throw new AssertionError("extent " + extent.descriptor + " is sealed with holders " + holders);
        }
        if (holders.isEmpty()) {
            throw new AssertionError("extent " + extent.descriptor + " is sealed without holders");
        }
        extent.state = State.SEALED;
        extent.length = length;
        extent.holders = new TreeSet<>((a, b) -> a.toString().compareTo(b.toString()));
        extent.holders.addAll(holders);
    }

    /** One epoch of a node, as its WAL sees the control plane. */
    final class Client implements ExtentRegistry {
        final int node;
        final long epoch;

        Client(int node, long epoch) {
            this.node = node;
            this.epoch = epoch;
        }

        @Override
        public CompletionStage<ExtentDescriptor> create(Lane lane) {
            return create(lane, Set.of());
        }

        @Override
        public CompletionStage<ExtentDescriptor> create(Lane lane, Set<StoreRef> avoid) {
            return this.<ExtentDescriptor>command(() -> {
                        List<StoreRef> order = new ArrayList<>(stores.values());
                        Collections.shuffle(order, new Random(random.nextLong()));
                        order.sort((a, b) -> Boolean.compare(b.nodeId() == node, a.nodeId() == node));
                        order.sort((a, b) -> Boolean.compare(avoid.contains(a), avoid.contains(b)));
                        order.sort((a, b) -> Boolean.compare(isDraining(a.nodeId()), isDraining(b.nodeId())));
                        int good = takers().size();
                        int size = Math.min(replicas, good >= ackQuorum ? good : Math.min(ackQuorum, order.size()));
                        List<StoreRef> ensemble = order.subList(0, size);
                        if (ensemble.size() < ackQuorum) {
                            throw new IllegalStateException("not enough stores (simulated)");
                        }
                        Extent extent =
                                new Extent(new ExtentDescriptor(nextExtent++, node, epoch, lane, ensemble, ackQuorum));
                        extents.put(extent.descriptor.extentId(), extent);
                        created.accept(node);
                        return new ExtentDescriptor(
                                extent.descriptor.extentId(), node, epoch, lane, ensemble, toldQuorum);
                    })
                    .thenApply(descriptor -> {
                        find(descriptor.extentId()).told = true;
                        return descriptor;
                    });
        }

        @Override
        public CompletionStage<Void> seal(long extentId, long length, List<StoreRef> holders) {
            return this.<Boolean>command(() -> {
                        Extent extent = find(extentId);
                        if (extent.decided()) {
                            if (extent.length != length) {
                                throw new FencedException(
                                        "extent " + extentId + " is sealed at " + extent.length + ", not at " + length);
                            }
                            return true;
                        }
                        if (extent.state == State.OPEN && extent.epoch != epoch) {
                            throw new FencedException("extent " + extentId + " is of epoch " + extent.epoch);
                        }
                        if (extent.state == State.RECOVERING
                                && extent.epoch != recoveryEpochs.getOrDefault(extentId, -1L)) {
                            throw new FencedException("extent " + extentId + " is recovered by epoch " + extent.epoch);
                        }
                        decide(extent, length, holders);
                        return true;
                    })
                    .thenAccept(done -> {});
        }

        private final Map<Long, Long> recoveryEpochs = new TreeMap<>();

        @Override
        public CompletionStage<Long> startRecovery(long extentId) {
            return this.<Long>command(() -> {
                        Extent extent = find(extentId);
                        if (extent.decided()) {
                            throw new FencedException("extent " + extentId + " is sealed: nothing to recover");
                        }
                        if (extent.state == State.OPEN
                                && current(extent.descriptor.writerNodeId(), extent.descriptor.writerEpoch())) {
                            throw new IllegalStateException("extent " + extentId + " is being written");
                        }
                        extent.state = State.RECOVERING;
                        extent.epoch = nextEpoch++;
                        return extent.epoch;
                    })
                    .thenApply(recovery -> {
                        recoveryEpochs.put(extentId, recovery);
                        return recovery;
                    });
        }

        @Override
        public CompletionStage<List<StoreRef>> standIns(ExtentDescriptor extent) {
            return command(() -> stores.values().stream()
                    .filter(store -> !extent.ensemble().contains(store) && !isDraining(store.nodeId()))
                    .toList());
        }

        private Extent find(long extentId) {
            Extent extent = extents.get(extentId);
            if (extent == null) {
                throw new AssertionError("no extent " + extentId + " was ever created");
            }
            return extent;
        }

        private <T> CompletionStage<T> command(Supplier<T> apply) {
            CompletableFuture<T> answer = new CompletableFuture<>();
            int fate = random.nextInt(25);
            double thereMs = random.nextDouble() * (random.nextInt(10) == 0 ? 300 : 5);
            scheduler.afterMs(thereMs, () -> {
                if (unreachable.contains(node) || fate == 0) {
                    scheduler.afterMs(
                            200,
                            () -> answer.completeExceptionally(new IllegalStateException("no answer (simulated)")));
                } else if (!current(node, epoch)) {
                    later(() -> answer.completeExceptionally(
                            new FencedException("epoch " + epoch + " of node " + node + " is over")));
                } else {
                    apply(answer, fate, apply);
                }
            });
            return answer;
        }

        private <T> void apply(CompletableFuture<T> answer, int fate, Supplier<T> apply) {
            try {
                T value = apply.get();
                later(() -> {
                    if (fate == 1) {
                        answer.completeExceptionally(new IllegalStateException("answer lost (simulated)"));
                    } else {
                        answer.complete(value);
                    }
                });
            } catch (RuntimeException refused) {
                later(() -> answer.completeExceptionally(refused));
            }
        }

        private void later(Runnable answer) {
            scheduler.afterMs(random.nextDouble() * 3, answer);
        }
    }
}
