package io.catchment.controlplane.placement;

import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.state.ClusterState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How the brokers' work is spread, while streams are given out one by one. Owned by one decision.
 *
 * <p>A node's load is half its share of the streams and half its share of the traffic, both against the mean; without any traffic the
 * streams alone. Nobody tells what one stream's traffic is: each counts as the mean of its node's.
 */
final class Loads {
    /** Below this there is no traffic to speak of, bytes per second or requests per second. */
    private static final double TRAFFIC_MIN = 1000;

    private final Map<Integer, Broker> brokers = new TreeMap<>();
    private double streamsMean;
    private double trafficMean;

    private Loads() {}

    /** One broker's work. */
    static final class Broker {
        private final int nodeId;
        private int streams;
        private double traffic;

        private Broker(int nodeId, int streams, double traffic) {
            this.nodeId = nodeId;
            this.streams = streams;
            this.traffic = traffic;
        }

        int nodeId() {
            return nodeId;
        }

        int streams() {
            return streams;
        }
    }

    /** Of those that may be given streams; if there is none, of the live ones that are being drained. */
    static Loads of(ClusterState state, Map<Integer, NodeLoad> figures) {
        return of(state, figures, Set.of());
    }

    /** The same without those that wait, if there are others. */
    static Loads of(ClusterState state, Map<Integer, NodeLoad> figures, Set<Integer> waiting) {
        List<NodeState> live = new ArrayList<>();
        for (NodeState node : state.nodes().values()) {
            if (node.isLive() && OwnerPlacement.isBroker(node)) {
                live.add(node);
            }
        }
        List<NodeState> takers = live.stream().filter(NodeState::takesMore).toList();
        List<NodeState> ready =
                takers.stream().filter(node -> !waiting.contains(node.nodeId())).toList();
        Loads loads = new Loads();
        for (NodeState node : !ready.isEmpty() ? ready : takers.isEmpty() ? live : takers) {
            NodeLoad figure = figures.getOrDefault(node.nodeId(), NodeLoad.IDLE);
            double traffic = figure.bytesPerSecondInAll() + figure.requestsPerSecondInAll();
            loads.brokers.put(node.nodeId(), new Broker(node.nodeId(), state.ownedBy(node.nodeId()), traffic));
        }
        loads.setMeans();
        return loads;
    }

    private void setMeans() {
        streamsMean =
                brokers.values().stream().mapToInt(Broker::streams).average().orElse(0);
        trafficMean = brokers.values().stream()
                .mapToDouble(broker -> broker.traffic)
                .average()
                .orElse(0);
    }

    void without(int nodeId) {
        brokers.remove(nodeId);
    }

    Collection<Broker> brokers() {
        return brokers.values();
    }

    @Nullable
    Broker broker(int nodeId) {
        return brokers.get(nodeId);
    }

    boolean isEmpty() {
        return brokers.isEmpty();
    }

    /** 1 is the mean. */
    double of(Broker broker) {
        double streams = broker.streams / Math.max(streamsMean, 1);
        return trafficMean < TRAFFIC_MIN ? streams : (streams + broker.traffic / trafficMean) / 2;
    }

    /** What one more of the mean stream is worth at a broker. */
    double ofOneStream() {
        return 1 / Math.max(streamsMean, 1);
    }

    /** The mean stream arrives there. */
    void give(Broker to) {
        double traffic = streamsMean < 1 ? 0 : trafficMean / streamsMean;
        to.streams++;
        to.traffic += traffic;
    }

    /** A stream moves with its share of its node's traffic. */
    void move(Broker from, Broker to) {
        double traffic = from.streams == 0 ? 0 : from.traffic / from.streams;
        from.streams--;
        from.traffic -= traffic;
        to.streams++;
        to.traffic += traffic;
    }
}
