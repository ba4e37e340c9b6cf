package io.catchment.broker.leader;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.requests.MetadataResponse;
import org.jspecify.annotations.Nullable;

/**
 * Who leads a partition as of an image, seen through one listener (KIP-951). A partition has a leader only while its owner lives and
 * has opened it in its present life: before that the owner would refuse its clients.
 *
 * @param nodeId -1: nobody
 * @param epoch of the stream, also without a leader; -1: the partition is not known
 * @param endpoint where the listener's clients reach the leader; null when there is none, or it has no such listener
 */
public record Leader(int nodeId, int epoch, @Nullable Node endpoint) {
    public static final Leader UNKNOWN = new Leader(MetadataResponse.NO_LEADER_ID, -1, null);

    public static Leader of(ClusterImage image, TopicState topic, int partition, String listener) {
        if (partition < 0 || partition >= topic.streams().size()) {
            return UNKNOWN;
        }
        StreamState stream = image.stream(topic.streams().get(partition)).orElse(null);
        return stream == null ? UNKNOWN : of(image, stream, listener);
    }

    public static Leader of(ClusterImage image, StreamState stream, String listener) {
        NodeState owner = image.node(stream.ownerNodeId()).orElse(null);
        return owner != null && isOpen(stream, owner)
                ? new Leader(owner.nodeId(), stream.epoch(), endpoint(owner, listener))
                : new Leader(MetadataResponse.NO_LEADER_ID, stream.epoch(), null);
    }

    /** Whether the owner serves the stream in its present life. */
    public static boolean isOpen(StreamState stream, NodeState owner) {
        return !owner.fenced() && stream.ownerNodeEpoch() == owner.epoch();
    }

    /** The node as the listener's clients reach it, with its zone as rack; null when it has no such listener. */
    public static @Nullable Node endpoint(NodeState node, String listener) {
        for (Endpoint endpoint : node.endpoints()) {
            if (endpoint.name().equals(listener)) {
                return new Node(
                        node.nodeId(),
                        endpoint.host(),
                        endpoint.port(),
                        node.zone().isEmpty() ? null : node.zone(),
                        node.fenced());
            }
        }
        return null;
    }
}
