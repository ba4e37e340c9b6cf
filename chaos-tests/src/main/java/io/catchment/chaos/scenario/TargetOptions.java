package io.catchment.chaos.scenario;

import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.cluster.KafkaServer;
import io.catchment.chaos.cluster.Server;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** Which server a scenario starts. */
final class TargetOptions {
    enum Target {
        catchment,
        kafka
    }

    @Option(
            names = "--target",
            defaultValue = "catchment",
            description = "${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}")
    private Target target = Target.catchment;

    @Option(
            names = "--object-store",
            defaultValue = "",
            description = "As of catchment up. Default: a folder beside the node")
    private String objectStore = "";

    @Option(names = "--set", description = "KEY=VALUE: one more configuration key of the node; repeatable")
    private Map<String, String> settings = new LinkedHashMap<>();

    Server up(Path directory) {
        return target == Target.kafka
                ? KafkaServer.up(directory)
                : CatchmentServer.up(directory, objectStore, settings);
    }

    String name() {
        return target.name();
    }
}
