package io.catchment.broker.node;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.NodeState;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;

/**
 * Where other nodes' WALs listen, by what they registered: names are looked up when the nodes change, on a thread that may wait for a
 * name server, and the answers kept. Thread-safe.
 */
final class PeerAddresses {
    private final String listener;
    private final Executor lookups;
    private volatile Map<Integer, InetSocketAddress> known = Map.of();

    /** @param listener name of the endpoint for replication */
    PeerAddresses(String listener, Executor lookups) {
        this.listener = listener;
        this.lookups = lookups;
    }

    void follow(ControlPlane controlPlane) {
        controlPlane.subscribe((delta, image) -> {
            if (delta.nodesChanged()) {
                lookups.execute(() -> lookUp(image));
            }
        });
        lookUp(controlPlane.image());
    }

    private void lookUp(ClusterImage image) {
        Map<Integer, InetSocketAddress> next = new HashMap<>();
        for (NodeState node : image.nodes()) {
            for (Endpoint endpoint : node.endpoints()) {
                if (endpoint.name().equals(listener)) {
                    InetSocketAddress before = known.get(node.nodeId());
                    boolean same = before != null
                            && !before.isUnresolved()
                            && before.getHostString().equals(endpoint.host())
                            && before.getPort() == endpoint.port();
                    next.put(node.nodeId(), same ? before : new InetSocketAddress(endpoint.host(), endpoint.port()));
                }
            }
        }
        known = Map.copyOf(next);
    }

    Optional<InetSocketAddress> of(int nodeId) {
        return Optional.ofNullable(known.get(nodeId)).filter(address -> !address.isUnresolved());
    }

    Map<Integer, InetSocketAddress> all() {
        return known;
    }
}
