package io.catchment.wal.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.replica.Replica;
import io.catchment.wal.testing.ManualLoop;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** For whom a recovery waits, and for how long, on time that the test moves. */
class FenceRoundTest {
    private final ManualLoop loop = new ManualLoop();
    private final Map<Integer, CompletableFuture<Long>> asked = new HashMap<>();

    private CompletableFuture<List<FenceAnswer>> round(int stores, int needed, int enough) {
        List<StoreRef> ensemble = new ArrayList<>();
        for (int node = 1; node <= stores; node++) {
            ensemble.add(new StoreRef(node, "store-" + node));
        }
        ExtentDescriptor extent = new ExtentDescriptor(7, 1, 1, Lane.NORMAL, ensemble, 2);
        CompletableFuture<List<FenceAnswer>> done =
                new FenceRound(extent, 9, loop, needed, enough).start(store -> Optional.of(replica(store)));
        loop.advance(0);
        return done;
    }

    /** One that is only fenced. */
    private Replica replica(StoreRef store) {
        return (Replica) Proxy.newProxyInstance(
                Replica.class.getClassLoader(), new Class<?>[] {Replica.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("store")) {
                        return store;
                    }
                    if (method.getName().equals("fence")) {
                        assertThat(((ExtentHeader) arguments[0]).extentId()).isEqualTo(7);
                        return asked.computeIfAbsent(store.nodeId(), node -> new CompletableFuture<>());
                    }
                    throw new AssertionError("not asked here: " + method);
                });
    }

    private void answer(int node, long length) {
        asked.get(node).complete(length);
        loop.advance(0);
    }

    @Test
    void whenAllHaveAnsweredItIsOver() {
        CompletableFuture<List<FenceAnswer>> done = round(3, 2, 2);
        answer(2, 100);
        answer(3, 90);
        assertThat(done).isNotDone();
        asked.get(1).completeExceptionally(new IOException("refused"));
        loop.advance(0);
        assertThat(done.join()).hasSize(3);
        assertThat(done.join().stream().filter(FenceAnswer::valid)).hasSize(2);
    }

    @Test
    void aSilentStoreIsNotWaitedForWhenThereAreHoldersEnough() {
        CompletableFuture<List<FenceAnswer>> done = round(3, 2, 2);
        answer(2, 100);
        answer(3, 90);
        loop.advance(199);
        assertThat(done).isNotDone();
        loop.advance(1);
        assertThat(done.join().stream().filter(FenceAnswer::valid)).hasSize(2);
    }

    /** A smaller ensemble, of which one store hangs: the other decides the length, a stand-in becomes the second holder. */
    @Test
    void aSilentStoreIsNotWaitedForLongWhenOnlyHoldersAreMissing() {
        CompletableFuture<List<FenceAnswer>> done = round(2, 1, 2);
        answer(2, 100);
        loop.advance(599);
        assertThat(done).isNotDone();
        loop.advance(1);
        assertThat(done.join().stream().filter(FenceAnswer::valid))
                .singleElement()
                .satisfies(only -> assertThat(only.length()).isEqualTo(100));
    }

    @Test
    void tooFewAnswersAreWaitedFor() {
        CompletableFuture<List<FenceAnswer>> done = round(3, 2, 2);
        answer(2, 100);
        loop.advance(60_000);
        assertThat(done).isNotDone();
    }
}
