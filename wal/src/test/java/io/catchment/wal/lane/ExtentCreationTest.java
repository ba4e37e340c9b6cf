package io.catchment.wal.lane;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
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

/** Whose answer an extent's beginning waits for, on time that the test moves. This node's store is that of node 1. */
class ExtentCreationTest {
    private static final long LONG_MS = 60_000;

    private final ManualLoop loop = new ManualLoop();
    private final AvoidedStores avoided = new AvoidedStores(() -> 0, 10_000);
    private final Map<Integer, CompletableFuture<Void>> asked = new HashMap<>();
    private final List<ExtentCreation.Result> results = new ArrayList<>();

    private static StoreRef store(int node) {
        return new StoreRef(node, "store-" + node);
    }

    private void create(int stores) {
        List<StoreRef> ensemble = new ArrayList<>();
        for (int node = 1; node <= stores; node++) {
            ensemble.add(store(node));
        }
        ExtentDescriptor extent = new ExtentDescriptor(7, 1, 1, Lane.NORMAL, ensemble, Math.min(2, stores));
        new ExtentCreation(extent, loop, avoided, store(1), QuorumConfig.defaults(), true, results::add)
                .start(store -> Optional.of(replica(store)));
    }

    private Replica replica(StoreRef store) {
        return (Replica) Proxy.newProxyInstance(
                Replica.class.getClassLoader(), new Class<?>[] {Replica.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("store")) {
                        return store;
                    }
                    assertThat(method.getName()).isEqualTo("create");
                    return asked.computeIfAbsent(store.nodeId(), node -> new CompletableFuture<>());
                });
    }

    @Test
    void withoutAQuorumALocalDiskThatStandsStillIsNotWaitedForForEver() {
        create(3);
        asked.get(2).complete(null);
        asked.get(3).completeExceptionally(new IOException("away"));
        loop.advance(QuorumConfig.defaults().localEndMsMax() - 1);
        assertThat(results).isEmpty();
        loop.advance(1);
        assertThat(results).singleElement().satisfies(result -> {
            assertThat(result.extent()).isNull();
            assertThat(result.failure()).contains(store(1).toString());
        });
        assertThat(avoided.now()).as("the next one had better lie elsewhere").contains(store(1), store(3));
        asked.get(1).complete(null);
        loop.advance(LONG_MS);
        assertThat(results).hasSize(1);
    }

    @Test
    void anAnswerInTimeCountsOnce() {
        create(3);
        asked.get(1).complete(null);
        asked.get(3).completeExceptionally(new IOException("away"));
        loop.advance(LONG_MS);
        assertThat(results).as("the other node's limit is its connection's").isEmpty();
        asked.get(2).complete(null);
        loop.advance(0);
        assertThat(results).singleElement().satisfies(result -> assertThat(result.extent())
                .isNotNull());
        assertThat(avoided.now()).containsExactly(store(3));
    }

    @Test
    void theOnlyDiskIsWaitedForHoweverSlow() {
        create(1);
        loop.advance(LONG_MS);
        assertThat(results).isEmpty();
        asked.get(1).complete(null);
        loop.advance(0);
        assertThat(results).singleElement().satisfies(result -> assertThat(result.extent())
                .isNotNull());
    }
}
