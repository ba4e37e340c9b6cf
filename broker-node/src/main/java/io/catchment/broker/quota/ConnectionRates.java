package io.catchment.broker.quota;

import java.net.InetAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricConfig;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.Quota;
import org.apache.kafka.common.metrics.QuotaViolationException;
import org.apache.kafka.common.metrics.Sensor;
import org.apache.kafka.common.metrics.stats.Rate;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.quota.QuotaUtils;
import org.jspecify.annotations.Nullable;

/**
 * Connections a second that an address may make (KIP-612). Thread-safe: what is set comes from one thread at a time, event loops ask.
 * An address that has made none for an hour is forgotten.
 */
final class ConnectionRates {
    private static final long FORGET_SECONDS = 3600;

    private final Metrics metrics;
    private final Time time;
    private final MetricConfig window;
    private final long delayMsMax;
    private final Map<InetAddress, Double> limits = new ConcurrentHashMap<>();
    private volatile @Nullable Double anybody;

    ConnectionRates(Metrics metrics, Time time, QuotaSettings settings) {
        this.metrics = metrics;
        this.time = time;
        this.window =
                new MetricConfig().samples(settings.samples()).timeWindow(settings.sampleSeconds(), TimeUnit.SECONDS);
        this.delayMsMax = TimeUnit.SECONDS.toMillis(settings.sampleSeconds());
    }

    /** @param address null: all that have no limit of their own; {@code perSecond} null: none */
    void limit(@Nullable InetAddress address, @Nullable Double perSecond) {
        if (address == null) {
            anybody = perSecond;
        } else if (perSecond == null) {
            limits.remove(address);
        } else {
            limits.put(address, perSecond);
        }
    }

    /** One connection more; how long it must wait for its end, 0 if it may stay. */
    int delayMs(InetAddress address) {
        Double perSecond = limits.getOrDefault(address, anybody);
        if (perSecond == null) {
            return 0;
        }
        Sensor sensor = sensor(address, perSecond);
        long nowMs = time.milliseconds();
        try {
            sensor.record(1.0, nowMs);
            return 0;
        } catch (QuotaViolationException e) {
            sensor.record(-1.0, nowMs, false);
            return (int) Math.max(1, QuotaUtils.boundedThrottleTime(e, delayMsMax, nowMs));
        }
    }

    private Sensor sensor(InetAddress address, double perSecond) {
        String ip = address.getHostAddress();
        MetricName name = metrics.metricName("connection-accept-rate", "socket-server-metrics", Map.of("ip", ip));
        Quota quota = Quota.upperBound(perSecond);
        KafkaMetric known = metrics.metric(name);
        if (known != null && !quota.equals(known.config().quota())) {
            known.config(config(quota));
        }
        Sensor sensor = metrics.sensor("connections-of-" + ip, config(quota), FORGET_SECONDS);
        if (known == null) {
            sensor.add(name, new Rate());
        }
        return sensor;
    }

    private MetricConfig config(Quota quota) {
        return new MetricConfig()
                .samples(window.samples())
                .timeWindow(window.timeWindowMs(), TimeUnit.MILLISECONDS)
                .quota(quota);
    }
}
