package io.catchment.controlplane.placement;

import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.state.ClusterState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/** Who owns new streams: of the unfenced brokers always the one with the fewest, the lowest id first. Pure. */
public final class OwnerPlacement {
    static final String BROKER = "broker";

    private OwnerPlacement() {}

    public static boolean isBroker(@Nullable NodeState node) {
        return node != null && node.roles().contains(BROKER);
    }

    /** An owner for each of {@code count} streams; {@link ClusterState#NO_OWNER} for all when there is no broker. */
    public static List<Integer> choose(ClusterState state, int count) {
        record Load(int nodeId, int streams) {}
        PriorityQueue<Load> loads =
                new PriorityQueue<>(Comparator.comparingInt(Load::streams).thenComparingInt(Load::nodeId));
        for (NodeState node : state.nodes().values()) {
            if (!node.fenced() && isBroker(node)) {
                loads.add(new Load(node.nodeId(), state.ownedBy(node.nodeId())));
            }
        }
        List<Integer> owners = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            Load least = loads.poll();
            if (least == null) {
                owners.add(ClusterState.NO_OWNER);
            } else {
                owners.add(least.nodeId());
                loads.add(new Load(least.nodeId(), least.streams() + 1));
            }
        }
        return owners;
    }
}
