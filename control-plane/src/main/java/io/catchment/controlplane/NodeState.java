package io.catchment.controlplane;

import java.util.List;
import org.apache.kafka.common.Uuid;

/** A registered node. {@code fenced}: no stream may be given to it and its epoch is over. */
public record NodeState(
        int nodeId,
        long epoch,
        String storeId,
        List<Endpoint> endpoints,
        String zone,
        List<String> roles,
        Uuid incarnation,
        boolean fenced) {

    public NodeState {
        endpoints = List.copyOf(endpoints);
        roles = List.copyOf(roles);
    }
}
