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
 * Who leads a partition as of an image, seen through one listener (KIP-951): its owner while that lives. The owner may still be opening the
 * stream after a failure: clients that know whom to go to wait there, or come again after a backoff, where "no leader" has producers ask
 * without a pause. Only a stream that was never opened has no leader before its owner has opened it.
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
        return owner != null && isNamed(stream, owner)
                ? new Leader(owner.nodeId(), stream.epoch(), endpoint(owner, listener))
                : new Leader(MetadataResponse.NO_LEADER_ID, stream.epoch(), null);
    }

    /** Whether the owner serves the stream in its present life. */
    public static boolean isOpen(StreamState stream, NodeState owner) {
        return !owner.fenced() && stream.ownerNodeEpoch() == owner.epoch();
    }

    public static boolean isOpen(ClusterImage image, TopicState topic, int partition) {
        StreamState stream = image.stream(topic.streams().get(partition)).orElse(null);
        NodeState owner =
                stream == null ? null : image.node(stream.ownerNodeId()).orElse(null);
        return stream != null && owner != null && isOpen(stream, owner);
    }

    /** Whether clients are sent to the owner. */
    public static boolean isNamed(StreamState stream, NodeState owner) {
        return !owner.fenced() && (!stream.epochStarts().isEmpty() || isOpen(stream, owner));
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
