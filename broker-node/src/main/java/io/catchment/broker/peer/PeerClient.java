package io.catchment.broker.peer;

import java.util.Map;
import org.apache.kafka.clients.ApiVersions;
import org.apache.kafka.clients.BootstrapConfiguration;
import org.apache.kafka.clients.ManualMetadataUpdater;
import org.apache.kafka.clients.MetadataRecoveryStrategy;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.network.PlaintextChannelBuilder;
import org.apache.kafka.common.network.Selector;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.LogContext;

/** Kafka's own client as nodes use it among themselves. */
public final class PeerClient {
    static final int REQUEST_TIMEOUT_MS = 5_000;
    private static final int IN_FLIGHT_MAX = 64;
    private static final int SOCKET_BUFFER_BYTES = 128 * 1024;
    private static final long IDLE_MS = 600_000;
    private static final long RECONNECT_MS = 50;
    private static final long RECONNECT_MS_MAX = 500;

    private PeerClient() {}

    /** @param purpose for its metrics and its log; one client per purpose */
    public static NetworkClient open(String purpose, int nodeId, Metrics metrics, Time time) {
        LogContext context = new LogContext("[" + purpose + " of node " + nodeId + "] ");
        PlaintextChannelBuilder channels = new PlaintextChannelBuilder(new ListenerName("PEERS"));
        channels.configure(Map.of());
        return new NetworkClient(
                new Selector(IDLE_MS, metrics, time, purpose, channels, context),
                new ManualMetadataUpdater(),
                "catchment-node-" + nodeId,
                IN_FLIGHT_MAX,
                RECONNECT_MS,
                RECONNECT_MS_MAX,
                SOCKET_BUFFER_BYTES,
                SOCKET_BUFFER_BYTES,
                REQUEST_TIMEOUT_MS,
                REQUEST_TIMEOUT_MS,
                REQUEST_TIMEOUT_MS,
                time,
                true,
                new ApiVersions(),
                context,
                MetadataRecoveryStrategy.NONE,
                BootstrapConfiguration.DISABLED,
                false);
    }
}
