package io.catchment.broker.node;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.NodeState;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.Uuid;

/**
 * As what this process has registered its node so far: a later registration that is none of these is another process's, with the same node id.
 * Owned by the thread that begins epochs.
 */
final class Registrations {
    private final Set<Uuid> incarnations = new HashSet<>();
    private long lastEpoch = -1;
    private boolean owesDrain;

    /** Of the next registration. */
    Uuid next() {
        Uuid incarnation = Uuid.randomUuid();
        incarnations.add(incarnation);
        return incarnation;
    }

    void registered(long epoch) {
        lastEpoch = epoch;
    }

    /** Whether this process was a member before. */
    boolean any() {
        return lastEpoch >= 0;
    }

    /**
     * Whether a registration that follows is to be followed by a drain: each one ends the node's drain, as it should when somebody starts a node
     * anew, but a process that was only fenced goes on being drained. Asked before each registration, and true from then on until {@link #drained}: the image does not tell of a wish
     * that a registration has ended and nobody has renewed.
     */
    boolean owesDrain(ClusterImage image, int nodeId) {
        boolean draining = image.node(nodeId).filter(NodeState::draining).isPresent();
        owesDrain |= any() && draining;
        return owesDrain;
    }

    /** For certain, since the last registration. */
    void drained() {
        owesDrain = false;
    }

    /** The node as another process has registered it since this one did. */
    Optional<NodeState> later(ClusterImage image, int nodeId) {
        return image.node(nodeId)
                .filter(node -> any() && node.epoch() > lastEpoch && !incarnations.contains(node.incarnation()));
    }
}
