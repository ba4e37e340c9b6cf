package io.catchment.broker.topicadmin;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.NodeState;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;

/**
 * What a client's replica list means here: the first broker of it that lives and is not being drained becomes the owner. The others are checked, as Kafka
 * does, and have no further effect: records are replicated by the WAL, not by partition.
 */
public final class ManualAssignment {
    private ManualAssignment() {}

    /**
     * @param size the replicas each partition must name; -1: any number
     * @throws InvalidReplicaAssignmentException as Kafka's messages say
     */
    public static int owner(ClusterImage image, int partition, List<Integer> replicas, int size) {
        if (replicas.isEmpty()) {
            throw new InvalidReplicaAssignmentException(
                    "The manual partition assignment includes an empty replica list.");
        }
        Set<Integer> seen = new HashSet<>();
        int owner = -1;
        for (int replica : replicas) {
            Optional<NodeState> node = image.node(replica);
            if (node.filter(known -> known.has("broker")).isEmpty()) {
                throw new InvalidReplicaAssignmentException("The manual partition assignment includes broker " + replica
                        + ", but no such broker is registered.");
            }
            if (!seen.add(replica)) {
                throw new InvalidReplicaAssignmentException(
                        "The manual partition assignment includes the broker " + replica + " more than once.");
            }
            if (owner == -1 && node.get().takesMore()) {
                owner = replica;
            }
        }
        if (size != -1 && replicas.size() != size) {
            throw new InvalidReplicaAssignmentException("The manual partition assignment includes a partition with "
                    + replicas.size() + " replica(s), but this is not consistent with previous partitions, which have "
                    + size + " replica(s).");
        }
        if (owner == -1) {
            throw new InvalidReplicaAssignmentException(
                    "All brokers specified in the manual partition assignment for partition " + partition
                            + " are fenced or in controlled shutdown.");
        }
        return owner;
    }
}
