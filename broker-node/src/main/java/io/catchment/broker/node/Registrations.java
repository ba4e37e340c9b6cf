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

    /** The node as another process has registered it since this one did. */
    Optional<NodeState> later(ClusterImage image, int nodeId) {
        return image.node(nodeId)
                .filter(node -> any() && node.epoch() > lastEpoch && !incarnations.contains(node.incarnation()));
    }
}
