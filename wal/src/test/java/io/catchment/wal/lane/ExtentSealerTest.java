package io.catchment.wal.lane;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import io.catchment.wal.WalListener;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.testing.ManualLoop;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** An extent's end while this node's own disk stands still, on time that the test moves. */
final class ExtentSealerTest {
    private static final long LENGTH = 9_000;
    private static final long LONG_MS = 60_000;

    private final ManualLoop loop = new ManualLoop();
    /** "settle 7 on 1" and the like, in order. */
    private final List<String> asked = new ArrayList<>();
    /** What is never answered, until the test does. */
    private final Map<String, CompletableFuture<Void>> stalled = new HashMap<>();

    private final Map<Long, List<StoreRef>> holders = new HashMap<>();
    private final List<Long> announced = new ArrayList<>();
    private final Set<Long> recorded = new HashSet<>();

    private final ExtentSealer sealer = new ExtentSealer(
            Lane.NORMAL,
            store(1),
            new Registry(),
            loop,
            new LaneConfig(1 << 20, 1 << 17, 1 << 21, 1_000, 100, 1 << 20, 1 << 16, 10, 100, QuorumConfig.defaults()),
            new SplittableRandom(1),
            new Listener(),
            reason -> {
                throw new AssertionError(reason);
            },
            () -> {});

    private final class Registry implements ExtentRegistry {
        @Override
        public CompletionStage<ExtentDescriptor> create(Lane lane) {
            throw new AssertionError("nothing is created here");
        }

        @Override
        public CompletionStage<Void> seal(long extentId, long length, List<StoreRef> who) {
            holders.put(extentId, who);
            return CompletableFuture.completedStage(null);
        }

        @Override
        public CompletionStage<Long> startRecovery(long extentId) {
            throw new AssertionError("nothing is recovered here");
        }
    }

    private final class Listener implements WalListener {
        @Override
        public void sealed(Lane lane, long extentId, long length) {
            announced.add(extentId);
        }

        @Override
        public void acknowledged(Lane lane, List<Acknowledged> group) {}

        @Override
        public void rollDue(Lane lane, long extentId) {}

        @Override
        public void laneState(Lane lane, boolean accepting, String reason) {}
    }

    private static StoreRef store(int node) {
        return new StoreRef(node, "store-" + node);
    }

    private Replica replica(StoreRef store) {
        return (Replica) Proxy.newProxyInstance(
                Replica.class.getClassLoader(), new Class<?>[] {Replica.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("store")) {
                        return store;
                    }
                    String what = method.getName() + " " + arguments[0] + " on " + store.nodeId();
                    asked.add(what);
                    return stalled.getOrDefault(what, CompletableFuture.completedFuture(null));
                });
    }

    private void stall(String what) {
        stalled.put(what, new CompletableFuture<>());
    }

    /** An extent that all its stores have all of. */
    private OpenExtent extent(long id, int stores) {
        List<StoreRef> ensemble = new ArrayList<>();
        for (int node = 1; node <= stores; node++) {
            ensemble.add(store(node));
        }
        int ackQuorum = Math.min(stores, 2);
        OpenExtent extent = new OpenExtent(
                new ExtentDescriptor(id, 1, 1, Lane.NORMAL, ensemble, ackQuorum),
                ensemble.stream().map(this::replica).toList());
        extent.holdsFrames = true;
        extent.position = LENGTH;
        for (int i = 0; i < stores; i++) {
            extent.tracker.update(i, LENGTH);
        }
        return extent;
    }

    private void seal(OpenExtent extent) {
        sealer.seal(extent, LENGTH, true, () -> recorded.add(extent.id()));
        loop.advance(0);
    }

    @Test
    void aLocalDiskThatStallsBeforeTheSealIsNoHolderWhereTheOthersAreEnough() {
        stall("finish 7 on 1");
        seal(extent(7, 3));
        seal(extent(8, 3));
        loop.advance(QuorumConfig.defaults().localEndMsMax() - 1);
        assertThat(holders).isEmpty();
        loop.advance(1);
        assertThat(holders.get(7L)).containsExactly(store(2), store(3));
        assertThat(recorded).contains(7L);
        assertThat(asked).contains("settle 7 on 2", "settle 7 on 3");
        // All of it may be there: that is found out when the disk answers.
        assertThat(asked).doesNotContain("settle 7 on 1", "discard 7 on 1");
        loop.advance(LONG_MS);
        assertThat(announced).containsExactly(7L, 8L);
        assertThat(holders.get(8L)).containsExactly(store(1), store(2), store(3));
        int before = asked.size();
        stalled.get("finish 7 on 1").complete(null);
        loop.advance(LONG_MS);
        assertThat(asked).hasSize(before);
        assertThat(announced).hasSize(2);
    }

    @Test
    void whatIsOnTheLocalDiskCountsWhereTheOthersAreTooFew() {
        stall("finish 7 on 1");
        stall("settle 7 on 1");
        seal(extent(7, 2));
        loop.advance(LONG_MS);
        assertThat(holders.get(7L)).containsExactly(store(1), store(2));
        assertThat(asked).contains("settle 7 on 1").doesNotContain("discard 7 on 1");
        assertThat(announced).containsExactly(7L);
    }

    @Test
    void aStoreThatWasLeftBehindDoesNotMakeEnough() {
        stall("finish 7 on 1");
        OpenExtent extent = extent(7, 3);
        extent.replicaFailed(2, "its connection dropped after it had answered");
        seal(extent);
        loop.advance(LONG_MS);
        assertThat(holders.get(7L)).containsExactly(store(1), store(2), store(3));
    }

    @Test
    void theOnlyDiskIsAHolderHoweverSlow() {
        stall("finish 7 on 1");
        stall("settle 7 on 1");
        seal(extent(7, 1));
        seal(extent(8, 1));
        loop.advance(LONG_MS);
        assertThat(holders.get(7L)).containsExactly(store(1));
        assertThat(announced).containsExactly(7L, 8L);
    }

    @Test
    void aLocalDiskThatStallsAfterTheSealHoldsUpNothing() {
        stall("settle 7 on 1");
        seal(extent(7, 3));
        seal(extent(8, 3));
        assertThat(announced).isEmpty();
        loop.advance(LONG_MS);
        assertThat(holders.get(7L)).hasSize(3);
        assertThat(announced).containsExactly(7L, 8L);
    }

    @Test
    void aLocalDiskThatAnswersIsNotWaitedForAnyLonger() {
        seal(extent(7, 3));
        loop.advance(0);
        assertThat(holders.get(7L)).hasSize(3);
        assertThat(announced).containsExactly(7L);
    }
}
