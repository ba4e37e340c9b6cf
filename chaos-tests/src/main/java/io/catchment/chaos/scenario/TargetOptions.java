package io.catchment.chaos.scenario;

import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.cluster.KafkaServer;
import io.catchment.chaos.cluster.Server;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
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

    static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure) throws IOException {
                Files.delete(folder);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
