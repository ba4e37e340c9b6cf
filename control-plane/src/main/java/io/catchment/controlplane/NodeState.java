package io.catchment.controlplane;

import java.util.List;
import org.apache.kafka.common.Uuid;

/**
 * A registered node.
 *
 * @param fenced no stream may be given to it and its epoch is over
 * @param leased it heartbeats: silence for a lease fences it (DESIGN §4 "Liveness")
 * @param draining it is to be rid of its streams, and gets neither streams nor copies of new extents
 */
public record NodeState(
        int nodeId,
        long epoch,
        String storeId,
        List<Endpoint> endpoints,
        String zone,
        List<String> roles,
        Uuid incarnation,
        boolean fenced,
        boolean leased,
        boolean draining) {

    public NodeState {
        endpoints = List.copyOf(endpoints);
        roles = List.copyOf(roles);
    }

    /** One that does not heartbeat. */
    public NodeState(
            int nodeId,
            long epoch,
            String storeId,
            List<Endpoint> endpoints,
            String zone,
            List<String> roles,
            Uuid incarnation,
            boolean fenced) {
        this(nodeId, epoch, storeId, endpoints, zone, roles, incarnation, fenced, false, false);
    }

    /** In its present epoch it may act; whether streams and extents are given to it is another matter. */
    public boolean isLive() {
        return !fenced;
    }

    /** It may be given streams or extents. */
    public boolean takesMore() {
        return !fenced && !draining;
    }

    public boolean has(String role) {
        return roles.contains(role);
    }

    public NodeState withFenced(boolean newFenced) {
        return new NodeState(nodeId, epoch, storeId, endpoints, zone, roles, incarnation, newFenced, leased, draining);
    }

    public NodeState withDraining(boolean newDraining) {
        return new NodeState(nodeId, epoch, storeId, endpoints, zone, roles, incarnation, fenced, leased, newDraining);
    }
}
