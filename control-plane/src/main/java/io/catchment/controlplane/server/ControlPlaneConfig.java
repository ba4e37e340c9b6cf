package io.catchment.controlplane.server;

import io.catchment.controlplane.raft.RaftConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * The control plane of one node. {@link #singleController} and {@link #joining} have the defaults; change what differs
 * with the {@code with…} methods.
 *
 * @param directory of this node's copy of the control log; never inside the WAL's
 * @param roles of this node: as a controller it may vote, else it observes
 * @param listener name of the controller listener, the same on all nodes
 * @param host and
 * @param port where other nodes reach this node's controller listener
 * @param formation what an unused directory becomes
 * @param controllers {@code host:port} of the controllers' listeners, to find the active one; empty on an only controller
 * @param replicas R, how many stores an extent is written to
 * @param ackQuorum A, how many of them must have a byte synced before it is acknowledged
 * @param fetchTimeoutMs silence of the leader after which a follower wants another; each controller adds up to 120 ms by its id
 * @param commandTimeoutMs how long a command is retried
 * @param heartbeatMs between two heartbeats of this node
 * @param leaseMs as the active controller, this node fences a node it has not heard of for so long; the same on all controllers
 * @param snapshotBytes log written since the last snapshot that makes the next one due
 * @param snapshotIntervalMs time since the last snapshot after which any new record makes the next one due
 * @param retentionBytes log and old snapshots beyond this are deleted once a newer snapshot covers them
 */
public record ControlPlaneConfig(
        int nodeId,
        String clusterId,
        Path directory,
        Set<String> roles,
        String listener,
        String host,
        int port,
        Formation formation,
        List<String> controllers,
        int replicas,
        int ackQuorum,
        int electionTimeoutMs,
        int fetchTimeoutMs,
        int requestTimeoutMs,
        long commandTimeoutMs,
        long heartbeatMs,
        long leaseMs,
        long snapshotBytes,
        long snapshotIntervalMs,
        int segmentBytes,
        long retentionBytes) {

    /** What to do with a directory that was never used. A used one is just opened, whatever is said here. */
    public enum Formation {
        /** Become the only voter of a new cluster. On one node only, and only when there is no cluster yet. */
        ALONE,
        /**
         * Become the only voter of a new cluster if all other controllers listed answer that they know of none, else as
         * JOIN_AND_VOTE. On one node only, for ever: so its wiped disk joins again instead of forming a second cluster.
         */
        FORM_OR_JOIN,
        /** Observe the cluster that the other controllers are. */
        JOIN,
        /** As JOIN, and ask to become a voter. */
        JOIN_AND_VOTE
    }

    private static final String CONTROLLER = "controller";
    /**
     * Followers hear of the leader's end only by this silence, and a majority must before one can win: a lost leader costs up to this
     * and a vote. An idle fetch takes up to 500 ms; that one follower is impatient without need does no harm, since the others refuse.
     */
    private static final int FETCH_TIMEOUT_MS = RaftConfig.FETCH_TIMEOUT_MS_MIN;

    /**
     * Between the timeouts of controllers with successive ids. Fetches are answered at the same moment, so with equal timeouts both
     * followers ask for votes at the same moment, and nobody wins the first round.
     */
    private static final int FETCH_TIMEOUT_STEP_MS = 60;

    private static final int FETCH_TIMEOUT_STEPS = 3;

    /** Up to twice that is lost when two ask for votes at the same moment. */
    private static final int ELECTION_TIMEOUT_MS = 150;

    private static final int REQUEST_TIMEOUT_MS = 1000;
    private static final long HEARTBEAT_MS = 150;
    private static final long LEASE_MS = 2000;
    private static final int SEGMENT_BYTES_MIN = 8 << 20;

    public ControlPlaneConfig {
        roles = Set.copyOf(roles);
        controllers = List.copyOf(controllers);
        require(nodeId >= 0, "node id " + nodeId + " is negative");
        require(!clusterId.isEmpty(), "the cluster id is empty");
        require(
                replicas >= 1 && ackQuorum >= 1 && ackQuorum <= replicas,
                "ack quorum " + ackQuorum + " of " + replicas);
        require(
                fetchTimeoutMs >= RaftConfig.FETCH_TIMEOUT_MS_MIN,
                "fetch timeout " + fetchTimeoutMs + " ms is below " + RaftConfig.FETCH_TIMEOUT_MS_MIN + " ms");
        require(segmentBytes >= SEGMENT_BYTES_MIN, "segments of " + segmentBytes + " bytes cannot hold every batch");
        require(
                heartbeatMs >= 1 && leaseMs >= 3 * heartbeatMs,
                "a lease of " + leaseMs + " ms must be at least three heartbeats of " + heartbeatMs + " ms");
        require(
                (formation != Formation.ALONE && formation != Formation.FORM_OR_JOIN) || roles.contains(CONTROLLER),
                "only a controller can form a cluster");
        require(
                formation == Formation.ALONE || !controllers.isEmpty(),
                "a node that joins needs the addresses of the controllers");
    }

    /** Everything as in development: one controller, one replica. */
    public static ControlPlaneConfig singleController(
            int nodeId, String clusterId, Path directory, Set<String> roles, String host, int port) {
        return withDefaults(nodeId, clusterId, directory, roles, host, port, Formation.ALONE, List.of());
    }

    /** A further node of a cluster, by its controllers: as a voter or an observer. */
    public static ControlPlaneConfig joining(
            int nodeId,
            String clusterId,
            Path directory,
            Set<String> roles,
            String host,
            int port,
            Formation formation,
            List<String> controllers) {
        return withDefaults(nodeId, clusterId, directory, roles, host, port, formation, controllers);
    }

    private static ControlPlaneConfig withDefaults(
            int nodeId,
            String clusterId,
            Path directory,
            Set<String> roles,
            String host,
            int port,
            Formation formation,
            List<String> controllers) {
        return new ControlPlaneConfig(
                nodeId,
                clusterId,
                directory,
                roles,
                "CONTROLLER",
                host,
                port,
                formation,
                controllers,
                1,
                1,
                ELECTION_TIMEOUT_MS,
                FETCH_TIMEOUT_MS,
                REQUEST_TIMEOUT_MS,
                TimeUnit.SECONDS.toMillis(30),
                HEARTBEAT_MS,
                LEASE_MS,
                16L << 20,
                TimeUnit.HOURS.toMillis(1),
                SEGMENT_BYTES_MIN,
                32L << 20);
    }

    public ControlPlaneConfig withReplicas(int newReplicas, int newAckQuorum) {
        return new ControlPlaneConfig(
                nodeId,
                clusterId,
                directory,
                roles,
                listener,
                host,
                port,
                formation,
                controllers,
                newReplicas,
                newAckQuorum,
                electionTimeoutMs,
                fetchTimeoutMs,
                requestTimeoutMs,
                commandTimeoutMs,
                heartbeatMs,
                leaseMs,
                snapshotBytes,
                snapshotIntervalMs,
                segmentBytes,
                retentionBytes);
    }

    public ControlPlaneConfig withSnapshots(long newSnapshotBytes, long newSnapshotIntervalMs, long newRetentionBytes) {
        return new ControlPlaneConfig(
                nodeId,
                clusterId,
                directory,
                roles,
                listener,
                host,
                port,
                formation,
                controllers,
                replicas,
                ackQuorum,
                electionTimeoutMs,
                fetchTimeoutMs,
                requestTimeoutMs,
                commandTimeoutMs,
                heartbeatMs,
                leaseMs,
                newSnapshotBytes,
                newSnapshotIntervalMs,
                segmentBytes,
                newRetentionBytes);
    }

    public ControlPlaneConfig withCommandTimeoutMs(long newCommandTimeoutMs) {
        return new ControlPlaneConfig(
                nodeId,
                clusterId,
                directory,
                roles,
                listener,
                host,
                port,
                formation,
                controllers,
                replicas,
                ackQuorum,
                electionTimeoutMs,
                fetchTimeoutMs,
                requestTimeoutMs,
                newCommandTimeoutMs,
                heartbeatMs,
                leaseMs,
                snapshotBytes,
                snapshotIntervalMs,
                segmentBytes,
                retentionBytes);
    }

    public ControlPlaneConfig withLease(long newHeartbeatMs, long newLeaseMs) {
        return new ControlPlaneConfig(
                nodeId,
                clusterId,
                directory,
                roles,
                listener,
                host,
                port,
                formation,
                controllers,
                replicas,
                ackQuorum,
                electionTimeoutMs,
                fetchTimeoutMs,
                requestTimeoutMs,
                commandTimeoutMs,
                newHeartbeatMs,
                newLeaseMs,
                snapshotBytes,
                snapshotIntervalMs,
                segmentBytes,
                retentionBytes);
    }

    boolean isController() {
        return roles.contains(CONTROLLER);
    }

    RaftConfig raft() {
        return new RaftConfig(
                nodeId,
                clusterId,
                directory,
                isController(),
                formation == Formation.JOIN_AND_VOTE || formation == Formation.FORM_OR_JOIN,
                listener,
                host,
                port,
                controllers,
                electionTimeoutMs,
                fetchTimeoutMs + FETCH_TIMEOUT_STEP_MS * (nodeId % FETCH_TIMEOUT_STEPS),
                requestTimeoutMs,
                segmentBytes,
                retentionBytes);
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new IllegalArgumentException("control plane: " + otherwise);
        }
    }
}
