package io.catchment.chaos.store;

import io.catchment.chaos.cluster.CatchmentCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Memory of the nodes' processes. */
final class NodeMemory {
    private NodeMemory() {}

    /** Of the largest of the nodes that run, from {@code /proc}. */
    static long residentBytes(CatchmentCluster cluster) {
        return cluster.nodes().stream()
                .filter(cluster::running)
                .mapToLong(node -> resident(cluster.pid(node)))
                .max()
                .orElse(0);
    }

    private static long resident(long pid) {
        try {
            return Files.readAllLines(Path.of("/proc", String.valueOf(pid), "status")).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
                    .findFirst()
                    .orElse(0);
        } catch (IOException gone) {
            return 0;
        }
    }
}
