package io.catchment.broker.node;

import io.catchment.broker.config.NodeConfig;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.apache.kafka.common.Uuid;

/** The identity of the cluster a node's directory belongs to: written into it once, then never changed. */
final class ClusterId {
    private static final String FILE = "cluster.id";

    private ClusterId() {}

    /** @throws IOException when the directory belongs to another cluster than the configuration says */
    static String of(NodeConfig config) throws IOException {
        Path file = config.directory().resolve(FILE);
        if (Files.exists(file)) {
            String known = Files.readString(file).trim();
            if (config.clusterId().isPresent() && !config.clusterId().get().equals(known)) {
                throw new IOException(
                        "catchment.cluster.id is " + config.clusterId().get() + ", but the directory "
                                + config.directory() + " belongs to cluster " + known);
            }
            return known;
        }
        String chosen = config.clusterId().orElseGet(() -> Uuid.randomUuid().toString());
        Files.createDirectories(config.directory());
        Path draft = config.directory().resolve(FILE + ".new");
        Files.writeString(draft, chosen + "\n");
        try (FileChannel channel = FileChannel.open(draft, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        return chosen;
    }
}
