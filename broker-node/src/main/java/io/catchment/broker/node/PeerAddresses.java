package io.catchment.broker.node;

import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.NodeState;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where other nodes' WALs listen, by what they registered: names are looked up when a node registers, for a while after that, and while it
 * cannot be reached. A node may come back under its name with another address, the name server may know that later than the controllers, and
 * the JVM remembers its answers for half a minute. That is done on a thread that may wait for a name server; the answers are kept. Thread-safe:
 * changes are made under the monitor.
 */
final class PeerAddresses {
    private static final Logger log = LoggerFactory.getLogger(PeerAddresses.class);

    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final String listener;
    private final Executor lookups;
    private final Resolver resolver;
    private final LongSupplier nanoTime;
    private volatile Map<Integer, Peer> known = Map.of();

    /** The name server; its answer is unresolved if it has none. */
    interface Resolver {
        InetSocketAddress lookUp(String host, int port);
    }

    private record Peer(Endpoint endpoint, long epoch, long sinceNanos, InetSocketAddress address) {
        Peer at(InetSocketAddress newAddress) {
            return new Peer(endpoint, epoch, sinceNanos, newAddress);
        }
    }

    /** @param listener name of the endpoint for replication */
    PeerAddresses(String listener, Executor lookups, Resolver resolver, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.listener = listener;
        this.lookups = lookups;
        this.resolver = resolver;
    }

    void follow(ControlPlane controlPlane) {
        controlPlane.subscribe((delta, image) -> {
            if (delta.nodesChanged()) {
                lookups.execute(() -> lookUp(controlPlane));
            }
        });
        lookUp(controlPlane);
    }

    private synchronized void lookUp(ControlPlane controlPlane) {
        Map<Integer, Peer> next = new HashMap<>();
        for (NodeState node : controlPlane.image().nodes()) {
            for (Endpoint endpoint : node.endpoints()) {
                if (endpoint.name().equals(listener)) {
                    Peer before = known.get(node.nodeId());
                    boolean same = before != null
                            && before.epoch() == node.epoch()
                            && before.endpoint().equals(endpoint);
                    next.put(node.nodeId(), same ? before : registered(node, endpoint, before));
                }
            }
        }
        known = Map.copyOf(next);
    }

    private Peer registered(NodeState node, Endpoint endpoint, @Nullable Peer before) {
        long now = nanoTime.getAsLong();
        return before != null && before.endpoint().equals(endpoint)
                ? lookUp(new Peer(endpoint, node.epoch(), now, before.address()))
                : new Peer(endpoint, node.epoch(), now, resolver.lookUp(endpoint.host(), endpoint.port()));
    }

    /** Now and then: those that cannot be reached, and those that have registered a moment ago, may be elsewhere by now. */
    synchronized void lookUpAgain(Set<Integer> unreachable) {
        long now = nanoTime.getAsLong();
        Map<Integer, Peer> next = new HashMap<>(known);
        next.replaceAll((node, peer) ->
                unreachable.contains(node) || now - peer.sinceNanos() < FRESH_NANOS ? lookUp(peer) : peer);
        known = Map.copyOf(next);
    }

    /** An older answer is better than none. */
    private Peer lookUp(Peer before) {
        Endpoint endpoint = before.endpoint();
        InetSocketAddress found = resolver.lookUp(endpoint.host(), endpoint.port());
        if (found.isUnresolved() || found.equals(before.address())) {
            return before;
        }
        log.info("{} is {} now, was {}", endpoint.host(), found, before.address());
        return before.at(found);
    }

    Optional<InetSocketAddress> of(int nodeId) {
        return Optional.ofNullable(known.get(nodeId)).map(Peer::address).filter(address -> !address.isUnresolved());
    }

    Set<Integer> nodes() {
        return known.keySet();
    }
}
