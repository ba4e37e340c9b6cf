package io.catchment.chaos.station;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What play and check must agree on. */
final class FleetOptions {
    @Option(names = "--bootstrap", required = true, description = "HOST:PORT of the cluster")
    private String bootstrap = "";

    @Option(names = "--topic", defaultValue = "stations", description = "Default: ${DEFAULT-VALUE}")
    private String topic = "";

    @Option(names = "--sites", defaultValue = "200", description = "Default: ${DEFAULT-VALUE}")
    private int sites;

    @Option(names = "--hours", defaultValue = "24", description = "Of event time. Default: ${DEFAULT-VALUE}")
    private int hours;

    @Option(names = "--start", description = "Event time of the beginning, ISO-8601. Default: 2026-06-01T00:00:00Z")
    private @Nullable Instant start;

    @Option(names = "--client", description = "KEY=VALUE: one more configuration key of the Kafka client; repeatable")
    private Map<String, String> client = new LinkedHashMap<>();

    String bootstrap() {
        return bootstrap;
    }

    String topic() {
        return topic;
    }

    Map<String, String> client() {
        return client;
    }

    Fleet fleet() {
        return Fleet.of(sites, hours, start == null ? Fleet.DEFAULT_START : start);
    }

    @Override
    public String toString() {
        return sites + " sites, " + hours + " h";
    }
}
