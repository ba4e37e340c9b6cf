package io.catchment.broker.near;

import io.catchment.broker.leader.Leader;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which node of a zone reads a stream for its neighbours. Pure: every node that has the same image says the same, so what an owner tells a
 * consumer is what the consumer finds in the metadata of any node. By highest random weight: the streams spread over a zone's nodes, and of
 * those only the ones of a node that goes move.
 */
public final class NearNodes {
    public static final int NOBODY = -1;

    private NearNodes() {}

    /** The node of the zone; {@link #NOBODY} when the owner is in it, or none of its nodes can be reached by the listener. */
    static int of(ClusterImage image, StreamState stream, String zone, String listener) {
        NodeState chosen = null;
        for (NodeState node : image.nodes()) {
            if (node.zone().equals(zone)) {
                if (node.nodeId() == stream.ownerNodeId()) {
                    return NOBODY;
                }
                if (reads(node, listener) && (chosen == null || isBefore(node, chosen, stream.streamId()))) {
                    chosen = node;
                }
            }
        }
        return chosen == null ? NOBODY : chosen.nodeId();
    }

    /** One node of each zone but the owner's. */
    public static Collection<Integer> of(ClusterImage image, StreamState stream, String listener) {
        String ownZone = image.node(stream.ownerNodeId()).map(NodeState::zone).orElse("");
        Map<String, NodeState> byZone = new HashMap<>();
        for (NodeState node : image.nodes()) {
            if (!node.zone().isEmpty() && !node.zone().equals(ownZone) && reads(node, listener)) {
                NodeState known = byZone.get(node.zone());
                if (known == null || isBefore(node, known, stream.streamId())) {
                    byZone.put(node.zone(), node);
                }
            }
        }
        List<Integer> ids = new ArrayList<>();
        byZone.values().forEach(node -> ids.add(node.nodeId()));
        ids.sort(null);
        return ids;
    }

    private static boolean reads(NodeState node, String listener) {
        return node.takesMore() && node.has("broker") && Leader.endpoint(node, listener) != null;
    }

    private static boolean isBefore(NodeState one, NodeState other, long streamId) {
        long weight = weight(one.nodeId(), streamId);
        long against = weight(other.nodeId(), streamId);
        return weight != against ? weight > against : one.nodeId() < other.nodeId();
    }

    /** The finaliser of SplitMix64. */
    private static long weight(int nodeId, long streamId) {
        long mixed = streamId * 0x9E3779B97F4A7C15L + nodeId;
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }
}
