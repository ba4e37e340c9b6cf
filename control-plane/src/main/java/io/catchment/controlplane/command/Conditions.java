package io.catchment.controlplane.command;

import io.catchment.controlplane.NodeLoad;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;

/**
 * What a decision may look at besides the state. Whatever it uses of this goes into the records, so that replay needs none of it.
 *
 * @param nowMs the controller's wall clock
 * @param replicas R, stores of an extent
 * @param ackQuorum A, how many of them must have a byte synced
 * @param figures of the nodes' last heartbeats, by node
 */
public record Conditions(
        long nowMs, Supplier<Uuid> newTopicId, int replicas, int ackQuorum, Map<Integer, NodeLoad> figures) {
    public Conditions {
        if (ackQuorum < 1 || ackQuorum > replicas) {
            throw new IllegalArgumentException("ack quorum " + ackQuorum + " of " + replicas + " replicas");
        }
        figures = Map.copyOf(figures);
    }

    public Conditions(long nowMs, Supplier<Uuid> newTopicId, int replicas, int ackQuorum) {
        this(nowMs, newTopicId, replicas, ackQuorum, Map.of());
    }
}
