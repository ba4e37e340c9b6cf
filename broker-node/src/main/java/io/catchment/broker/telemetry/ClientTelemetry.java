package io.catchment.broker.telemetry;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.ImageListener;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.ClientMetricsManager;
import org.apache.kafka.server.metrics.ClientTelemetryExporterPlugin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kafka's own manager of client metrics: it knows the subscriptions, who was asked for what, and who pushes too often or too much. What is
 * pushed goes to {@link PushedMetrics}. Thread-safe; {@link #changed} belongs to the control plane's thread for listeners.
 */
public final class ClientTelemetry implements ImageListener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClientTelemetry.class);
    /** Of one push, compressed: Kafka's default of telemetry.max.bytes. */
    private static final int PUSH_BYTES_MAX = 1 << 20;

    private final Metrics metrics = new Metrics();
    private final ClientMetricsManager manager;
    private Map<String, Properties> applied = Map.of();

    public ClientTelemetry(PushedMetrics pushed, Time time) {
        ClientTelemetryExporterPlugin plugin = new ClientTelemetryExporterPlugin();
        plugin.add(pushed);
        manager = new ClientMetricsManager(plugin, PUSH_BYTES_MAX, time, metrics);
    }

    ClientMetricsManager manager() {
        return manager;
    }

    @Override
    public void changed(ImageDelta delta, ClusterImage image) {
        if (!delta.configsChanged()) {
            return;
        }
        Map<String, Properties> present = new HashMap<>();
        for (ConfigResource resource : image.metadata().configs().resourceData().keySet()) {
            if (resource.type() == ConfigResource.Type.CLIENT_METRICS) {
                present.put(resource.name(), image.metadata().configs().configProperties(resource));
            }
        }
        Set<String> names = new HashSet<>(applied.keySet());
        names.addAll(present.keySet());
        for (String name : names) {
            Properties now = present.getOrDefault(name, new Properties());
            if (!now.equals(applied.getOrDefault(name, new Properties()))) {
                update(name, now);
            }
        }
        applied = present;
    }

    private void update(String name, Properties now) {
        try {
            manager.updateSubscription(name, now);
        } catch (RuntimeException e) {
            LOG.error("Client metrics {} cannot be asked for with {}, what was asked for before stays", name, now, e);
        }
    }

    @Override
    public void close() {
        try {
            manager.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            LOG.warn("The manager of client metrics did not end well", e);
        }
        metrics.close();
    }
}
