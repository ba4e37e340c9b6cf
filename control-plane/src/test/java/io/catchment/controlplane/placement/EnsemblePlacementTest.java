package io.catchment.controlplane.placement;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.ExtentState.Store;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.ChangeListener;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.Protos;
import io.catchment.controlplane.state.StateBuilder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class EnsemblePlacementTest {
    @Test
    void theWritersStoreComesFirstThenOtherZones() {
        ClusterState state = state(node(1, "a"), node(2, "a"), node(3, "b"), node(4, "c"));
        for (long extent = 0; extent < 8; extent++) {
            List<Store> chosen = choose(state, 1, extent, 3);
            assertThat(chosen.get(0)).isEqualTo(new Store(1, "store-1"));
            assertThat(chosen)
                    .containsExactlyInAnyOrder(
                            new Store(1, "store-1"), new Store(3, "store-3"), new Store(4, "store-4"));
        }
    }

    @Test
    void zonesAreSharedOnlyWhenThereAreTooFew() {
        ClusterState state = state(node(1, "a"), node(2, "a"), node(3, "b"));
        assertThat(choose(state, 1, 5, 3)).hasSize(3);
        assertThat(choose(state, 1, 5, 2)).containsExactly(new Store(1, "store-1"), new Store(3, "store-3"));
    }

    @Test
    void fencedNodesAndNodesWithoutStoreAreLeftOut() {
        ClusterState state = state(
                node(1, "a"),
                new NodeState(2, 2, "store-2", List.of(), "b", List.of("wal"), Uuid.ZERO_UUID, true),
                new NodeState(3, 3, "store-3", List.of(), "c", List.of("broker"), Uuid.ZERO_UUID, false));
        assertThat(choose(state, 3, 1, 3)).containsExactly(new Store(1, "store-1"));
    }

    @Test
    void extentsSpreadOverEquallyGoodStores() {
        ClusterState state = state(node(1, "a"), node(2, "b"), node(3, "c"), node(4, "d"));
        Map<Integer, Integer> uses = new HashMap<>();
        for (long extent = 0; extent < 300; extent++) {
            choose(state, 1, extent, 2).forEach(store -> uses.merge(store.nodeId(), 1, Integer::sum));
        }
        assertThat(uses.get(1)).isEqualTo(300);
        assertThat(uses.get(2)).isBetween(70, 160);
        assertThat(uses.get(3)).isBetween(70, 160);
        assertThat(uses.get(4)).isBetween(70, 160);
    }

    @Test
    void drainedAndPressedStoresAreTakenOnlyWhenNothingCanBeAcknowledgedWithoutThem() {
        ClusterState state = state(node(1, "a"), node(2, "b"), node(3, "c").withDraining(true), node(4, "d"));
        Map<Integer, NodeLoad> figures = Map.of(4, load(2, 1000));
        for (long extent = 0; extent < 8; extent++) {
            assertThat(EnsemblePlacement.choose(state, figures, 1, List.of(), extent, 3, 2))
                    .containsExactly(new Store(1, "store-1"), new Store(2, "store-2"));
        }
        assertThat(EnsemblePlacement.choose(state, figures, 1, List.of(), 1, 4, 3))
                .hasSize(3);
        assertThat(EnsemblePlacement.choose(state(node(1, "a")), Map.of(1, load(3, 0)), 1, List.of(), 1, 1, 1))
                .containsExactly(new Store(1, "store-1"));
    }

    @Test
    void storesThatTheWriterAvoidsComeLast() {
        ClusterState state = state(node(1, "a"), node(2, "b"), node(3, "c"));
        List<Store> avoid = List.of(new Store(2, "store-2"));
        for (long extent = 0; extent < 8; extent++) {
            assertThat(EnsemblePlacement.choose(state, Map.of(), 1, avoid, extent, 3, 2))
                    .containsExactly(new Store(1, "store-1"), new Store(3, "store-3"));
            assertThat(EnsemblePlacement.choose(state, Map.of(), 1, avoid, extent, 3, 3))
                    .hasSize(3);
            // Another disk of that node is another store
            assertThat(EnsemblePlacement.choose(state, Map.of(), 1, List.of(new Store(2, "former")), extent, 3, 2))
                    .hasSize(3);
        }
    }

    @Test
    void ofEquallyGoodStoresThoseWithRoomComeFirst() {
        ClusterState state = state(node(1, "a"), node(2, "b"), node(3, "c"), node(4, "d"));
        Map<Integer, NodeLoad> figures = Map.of(1, load(0, 1000), 2, load(0, 900), 3, load(0, 100), 4, load(0, 1000));
        for (long extent = 0; extent < 8; extent++) {
            assertThat(EnsemblePlacement.choose(state, figures, 1, List.of(), extent, 3, 2))
                    .containsExactlyInAnyOrder(
                            new Store(1, "store-1"), new Store(2, "store-2"), new Store(4, "store-4"));
        }
    }

    @Test
    void twoZonesShareThreeCopies() {
        ClusterState state = state(node(1, "a"), node(2, "a"), node(3, "b"), node(4, "b"));
        for (long extent = 0; extent < 8; extent++) {
            List<Store> chosen = choose(state, 1, extent, 3);
            assertThat(chosen).hasSize(3);
            assertThat(chosen.stream().map(Store::nodeId)).containsAnyOf(3, 4);
        }
    }

    private static NodeLoad load(int pressure, long free) {
        return new NodeLoad(List.of(), List.of(), free, 1000, pressure, false, Map.of(), Set.of(), 0);
    }

    private static List<Store> choose(ClusterState state, int writer, long extent, int replicas) {
        return EnsemblePlacement.choose(state, Map.of(), writer, List.of(), extent, replicas, 1);
    }

    private static NodeState node(int id, String zone) {
        return new NodeState(id, id, "store-" + id, List.of(), zone, List.of("wal"), Uuid.ZERO_UUID, false);
    }

    private static ClusterState state(NodeState... nodes) {
        StateBuilder builder = new StateBuilder(ClusterState.EMPTY, ChangeListener.NONE);
        for (NodeState node : nodes) {
            builder.replay(LogRecord.own(Record.newBuilder().setNode(Protos.node(node))));
        }
        return builder.build();
    }
}
