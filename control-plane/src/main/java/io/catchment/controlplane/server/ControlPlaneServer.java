package io.catchment.controlplane.server;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ControllerEndpoint;
import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.raft.KafkaReplicatedLog;
import io.catchment.controlplane.rpc.LeaderConnection;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.utils.Time;

/**
 * One node's control plane, wired: opens its directory (and formats it when it was never used), starts the log, and offers the
 * {@link ControlPlane} to the node and the {@link ControllerEndpoint} to its network. Immutable; close it once, last of all.
 *
 * <pre>{@code
 * var server = ControlPlaneServer.start(config, Time.SYSTEM, failure -> halt());
 * network.listen("CONTROLLER", server.endpoint());
 * server.controlPlane().submit(new Command.RegisterNode(...));
 * }</pre>
 */
public final class ControlPlaneServer implements AutoCloseable {
    private final ControlPlaneNode node;
    private final ControllerEndpoint endpoint;

    private ControlPlaneServer(ControlPlaneNode node, ControllerEndpoint endpoint) {
        this.node = node;
        this.endpoint = endpoint;
    }

    /**
     * @param fatal called, on any thread and perhaps more than once, when this node's control plane cannot go on: its disk fails,
     *     a record cannot be replayed, a listener threw. The process must end: what it shows is no longer what is
     * <p>With {@code FORM_OR_JOIN} and an unused directory it blocks until all other controllers have been asked.
     *
     * @throws IOException when the directory is locked, damaged or another node's; the message says what to do
     */
    public static ControlPlaneServer start(ControlPlaneConfig config, Time time, Consumer<Throwable> fatal)
            throws IOException {
        boolean formAlone =
                switch (config.formation()) {
                    case ALONE -> true;
                    case JOIN, JOIN_AND_VOTE -> false;
                    case FORM_OR_JOIN ->
                        KafkaReplicatedLog.isUnused(config.raft()) && ClusterProbe.findsNone(config, time);
                };
        KafkaReplicatedLog log = KafkaReplicatedLog.open(config.raft(), formAlone, time, fatal);
        ControlPlaneNode node = new ControlPlaneNode(
                config,
                new ControlThread("control-plane-" + config.nodeId(), time, fatal),
                log,
                new ConnectedController(
                        () -> new LeaderConnection(ListenerName.normalised(config.listener()), config.nodeId(), time)),
                Executors.newSingleThreadExecutor(task -> daemon(task, "control-snapshot-" + config.nodeId())),
                new SecureRandom().nextLong(),
                Uuid::randomUuid);
        node.start();
        return new ControlPlaneServer(node, new NodeEndpoint(node, log));
    }

    /**
     * Makes the directory of the first controller of a new cluster, with this state as the beginning of its log; {@link #start} then finds
     * a cluster there, and the other controllers join it. Complete, or as if it had not been begun: a crash is harmless, and it may be
     * repeated.
     *
     * @throws IOException when the directory is in use, holds a cluster already, or cannot be written
     */
    public static void restore(ControlPlaneConfig config, ClusterImage image) throws IOException {
        StateImage state = (StateImage) image;
        if (!config.isController() || !state.clusterId().equals(config.clusterId())) {
            throw new IllegalArgumentException("node " + config.nodeId() + " of cluster " + config.clusterId()
                    + " cannot begin with the state of cluster " + state.clusterId());
        }
        KafkaReplicatedLog.restore(
                config.raft(),
                state.offset() + 1,
                state.logEpoch(),
                state.logTimestampMs(),
                sink -> Snapshotter.append(state, sink));
    }

    /** Whether this node's directory has never been formatted. */
    public static boolean isUnused(ControlPlaneConfig config) {
        return KafkaReplicatedLog.isUnused(config.raft());
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    public ControlPlane controlPlane() {
        return node;
    }

    public ControllerEndpoint endpoint() {
        return endpoint;
    }

    @Override
    public void close() {
        node.close();
    }
}
