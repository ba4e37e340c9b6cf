package io.catchment.broker.logdirs;

import java.nio.file.Path;

/** The one directory that a node names as the place of its partitions: its WAL's. */
public record LogDirectory(int nodeId, Path path) {
    public LogDirectory {
        path = path.toAbsolutePath().normalize();
    }

    String name() {
        return path.toString();
    }
}
