package io.catchment.controlplane.raft;

import java.nio.file.Path;
import java.util.List;

/**
 * What the log needs to know about this node.
 *
 * @param controller whether this node may vote (if the voter set names it); else it only observes
 * @param host and
 * @param port where other nodes reach this node's controller endpoint
 * @param bootstrap {@code host:port} of controllers to ask for the leader; may be empty on the only controller
 * @param autoJoin whether a controller that is no voter asks to become one
 * @param retentionBytes log and old snapshots beyond this are deleted once a newer snapshot covers them
 */
public record RaftConfig(
        int nodeId,
        String clusterId,
        Path directory,
        boolean controller,
        boolean autoJoin,
        String listener,
        String host,
        int port,
        List<String> bootstrap,
        int electionTimeoutMs,
        int fetchTimeoutMs,
        int requestTimeoutMs,
        int segmentBytes,
        long retentionBytes) {

    /** A fetch waits up to 500 ms at the leader, which nobody can change; a shorter timeout would elect for ever. */
    public static final int FETCH_TIMEOUT_MS_MIN = 700;

    public RaftConfig {
        bootstrap = List.copyOf(bootstrap);
        if (fetchTimeoutMs < FETCH_TIMEOUT_MS_MIN) {
            throw new IllegalArgumentException(
                    "fetch timeout " + fetchTimeoutMs + " ms; it must be at least " + FETCH_TIMEOUT_MS_MIN + " ms");
        }
    }
}
