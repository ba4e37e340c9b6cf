package io.catchment.wal.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Lane;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.loop.Backoff;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.testing.ManualLoop;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** Recoveries by a node whose own disk stands still, on time that the test moves. Its store is that of node 1. */
class StalledDiskTest {
    private static final long LENGTH = 9_000;
    private static final long SHORTER = 4_000;
    private static final long LIMIT_MS = 5_000;
    private static final long LONG_MS = 60_000;

    private final ManualLoop loop = new ManualLoop();
    /** By "fence 7 on 1" and the like: what is answered when the test does it. */
    private final Map<String, CompletableFuture<Object>> stalled = new HashMap<>();
    /** What each store has of any extent; of others it refuses. */
    private final Map<Integer, Long> lengths = new HashMap<>();

    private final Map<Long, List<StoreRef>> holders = new HashMap<>();
    private final List<StoreRef> standIns = new ArrayList<>();

    private final ExtentRecovery recovery = new ExtentRecovery(
            new Registry(),
            store -> Optional.of(replica(store)),
            store(1),
            LIMIT_MS,
            loop,
            () -> new Backoff(50, 2_000, new SplittableRandom(1)),
            LengthRule.LONGEST);

    private final class Registry implements ExtentRegistry {
        @Override
        public CompletionStage<ExtentDescriptor> create(Lane lane) {
            throw new AssertionError("nothing is created here");
        }

        @Override
        public CompletionStage<Void> seal(long extentId, long length, List<StoreRef> who) {
            assertThat(length).isEqualTo(LENGTH);
            holders.put(extentId, who);
            return CompletableFuture.completedStage(null);
        }

        @Override
        public CompletionStage<Long> startRecovery(long extentId) {
            return CompletableFuture.completedStage(9L);
        }

        @Override
        public CompletionStage<List<StoreRef>> standIns(ExtentDescriptor extent) {
            return CompletableFuture.completedStage(List.copyOf(standIns));
        }
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
                    long extentId =
                            arguments[0] instanceof ExtentHeader header ? header.extentId() : (Long) arguments[0];
                    CompletableFuture<Object> late =
                            stalled.get(method.getName() + " " + extentId + " on " + store.nodeId());
                    return late != null ? late : answer(method.getName(), store.nodeId(), arguments);
                });
    }

    private CompletableFuture<?> answer(String what, int node, Object[] arguments) {
        Long length = lengths.get(node);
        if (length == null) {
            return CompletableFuture.failedFuture(new IOException("node " + node + " is away"));
        }
        return switch (what) {
            case "fence" -> CompletableFuture.completedFuture(length);
            case "fetch" -> CompletableFuture.completedFuture(ByteBuffer.allocate((Integer) arguments[2]));
            case "copy" -> {
                lengths.put(node, (Long) arguments[2] + ((ByteBuffer) arguments[3]).remaining());
                yield CompletableFuture.completedFuture(lengths.get(node));
            }
            case "settle", "discard" -> CompletableFuture.completedFuture(null);
            default -> throw new AssertionError("not asked here: " + what);
        };
    }

    private CompletableFuture<Object> stall(String what) {
        return stalled.computeIfAbsent(what, name -> new CompletableFuture<>());
    }

    private CompletableFuture<RecoveryReport> recover(long extentId, int stores) {
        List<StoreRef> ensemble = new ArrayList<>();
        for (int node = 1; node <= stores; node++) {
            ensemble.add(store(node));
        }
        CompletableFuture<RecoveryReport> report = recovery.recover(
                        List.of(new ExtentDescriptor(extentId, 5, 1, Lane.NORMAL, ensemble, Math.min(2, stores))))
                .toCompletableFuture();
        loop.advance(0);
        return report;
    }

    @Test
    void whenTheOnlySourceOfATailStallsTheExtentWaitsAndTheRecoveryEnds() {
        lengths.putAll(Map.of(1, LENGTH, 2, SHORTER));
        stall("fetch 7 on 1");
        CompletableFuture<RecoveryReport> report = recover(7, 3);
        loop.advance(LIMIT_MS - 1);
        assertThat(report).isNotDone();
        loop.advance(1);
        assertThat(report).isCompleted();
        assertThat(report.join().waiting()).singleElement().satisfies(waiting -> assertThat(waiting.reason())
                .contains("only 1 stores hold all"));
        assertThat(holders).isEmpty();
    }

    @Test
    void whenTheTailCannotBeCopiedHereAnotherStoreStandsIn() {
        lengths.putAll(Map.of(1, SHORTER, 2, LENGTH, 4, 0L));
        standIns.add(store(4));
        stall("copy 7 on 1");
        CompletableFuture<RecoveryReport> report = recover(7, 3);
        loop.advance(LIMIT_MS + 1_000);
        assertThat(report).isCompleted();
        assertThat(holders.get(7L)).containsExactlyInAnyOrder(store(2), store(4));
    }

    @Test
    void aFenceThatIsNotAnsweredHereIsNotWaitedForForEverWhereItIsNeeded() {
        lengths.putAll(Map.of(1, LENGTH, 2, LENGTH));
        CompletableFuture<Object> late = stall("fence 7 on 1");
        CompletableFuture<RecoveryReport> report = recover(7, 3);
        loop.advance(LIMIT_MS);
        assertThat(report).isCompleted();
        assertThat(report.join().waiting()).singleElement().satisfies(waiting -> assertThat(waiting.missing())
                .contains(store(1), store(3)));
        late.complete(LENGTH);
        stalled.clear();
        CompletableFuture<RecoveryReport> again = recover(7, 3);
        loop.advance(1_000);
        assertThat(again).isCompleted();
        assertThat(holders.get(7L)).containsExactlyInAnyOrder(store(1), store(2));
    }

    @Test
    void whatADiskThatStandsStillMayHaveIsNotDeclaredLost() {
        lengths.putAll(Map.of(1, LENGTH));
        CompletableFuture<Object> late = stall("fence 7 on 1");
        ExtentDescriptor extent = new ExtentDescriptor(7, 5, 1, Lane.NORMAL, List.of(store(1), store(2), store(3)), 2);
        CompletableFuture<Long> length = recovery.declareLost(extent).toCompletableFuture();
        loop.advance(LIMIT_MS);
        assertThat(length).isCompletedExceptionally();
        assertThat(holders).isEmpty();
        late.complete(LENGTH);
        stalled.clear();
        length = recovery.declareLost(extent).toCompletableFuture();
        loop.advance(1_000);
        assertThat(length).isCompletedWithValue(LENGTH);
    }

    /** Extents of a node that died are scanned here one after the other. */
    @Test
    void aDiskThatIsBusyAndGetsOnIsWaitedFor() {
        lengths.putAll(Map.of(1, LENGTH, 2, LENGTH));
        CompletableFuture<Object> first = stall("fence 7 on 1");
        CompletableFuture<Object> second = stall("fence 8 on 1");
        CompletableFuture<RecoveryReport> one = recover(7, 3);
        CompletableFuture<RecoveryReport> other = recover(8, 3);
        loop.advance(LIMIT_MS - 1);
        first.complete(LENGTH);
        loop.advance(LIMIT_MS - 1);
        assertThat(one).isCompleted();
        assertThat(other).isNotDone();
        second.complete(LENGTH);
        loop.advance(1_000);
        assertThat(other).isCompleted();
        assertThat(holders).containsOnlyKeys(7L, 8L);
    }

    @Test
    void theOnlyStoreIsWaitedForHoweverSlow() {
        lengths.put(1, LENGTH);
        CompletableFuture<Object> late = stall("fence 7 on 1");
        CompletableFuture<RecoveryReport> report = recover(7, 1);
        loop.advance(LONG_MS);
        assertThat(report).isNotDone();
        late.complete(LENGTH);
        loop.advance(1_000);
        assertThat(report).isCompleted();
        assertThat(holders.get(7L)).containsExactly(store(1));
    }
}
