package io.catchment.broker.share.state;

import io.catchment.broker.coordinatorlog.DaemonTimer;
import io.catchment.broker.leader.Leader;
import io.catchment.broker.peer.PeerClient;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.NodeState;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.share.SharePartitionKey;
import org.apache.kafka.server.share.persister.DefaultStatePersister;
import org.apache.kafka.server.share.persister.Persister;
import org.apache.kafka.server.share.persister.ShareCoordinatorMetadataCacheHelper;

/**
 * How this node reaches the share coordinators of the cluster, itself among them: Kafka's own persister, with a thread and connections of its
 * own. It gathers writes to one coordinator into one request and tries again for some seconds. Thread-safe.
 */
public final class StatePersister implements AutoCloseable {
    private final Metrics metrics = new Metrics();
    private final DaemonTimer timer = new DaemonTimer("share-persister-timer");
    private final Persister persister;

    /** @param listener by which nodes reach each other */
    public StatePersister(int nodeId, ShareStateTopic topic, Supplier<ClusterImage> image, String listener, Time time) {
        this.persister = DefaultStatePersister.instance(
                PeerClient.open("share-persister", nodeId, metrics, time),
                new Coordinators(topic, image, listener),
                time,
                timer);
    }

    public Persister persister() {
        return persister;
    }

    @Override
    public void close() {
        persister.stop();
        timer.close();
        metrics.close();
    }

    private record Coordinators(ShareStateTopic topic, Supplier<ClusterImage> image, String listener)
            implements ShareCoordinatorMetadataCacheHelper {
        @Override
        public boolean containsTopic(String name) {
            return name.equals(ShareStateTopic.NAME) && topic.exists();
        }

        @Override
        public Node getShareCoordinator(SharePartitionKey key, String name) {
            return topic.exists() ? topic.coordinatorOf(key, listener).orElse(Node.noNode()) : Node.noNode();
        }

        @Override
        public List<Node> getClusterNodes() {
            return image.get().nodes().stream()
                    .filter(NodeState::isLive)
                    .map(node -> Leader.endpoint(node, listener))
                    .filter(Objects::nonNull)
                    .toList();
        }
    }
}
