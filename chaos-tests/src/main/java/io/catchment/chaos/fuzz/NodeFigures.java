package io.catchment.chaos.fuzz;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.Commands;
import io.catchment.chaos.cluster.Metrics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a node holds at a quiet moment.
 *
 * @param heapBytes after a full collection
 * @param pooledBytes of network buffers, which the pool keeps
 */
record NodeFigures(
        long pid, double heapBytes, double pooledBytes, double directBytes, double sockets, double connections) {
    private static final Duration COLLECTION = Duration.ofSeconds(60);

    static NodeFigures of(CatchmentCluster cluster, int node) {
        long pid = cluster.pid(node);
        Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        Commands.run(COLLECTION, Map.of(), List.of(jcmd.toString(), String.valueOf(pid), "GC.run"));
        Metrics metrics = cluster.metrics(node);
        return new NodeFigures(
                pid,
                metrics.sum("jvm_memory_used_bytes", "area=\"heap\""),
                metrics.sum("catchment_buffers_pooled_bytes"),
                metrics.sum("jvm_buffer_memory_used_bytes", "id=\"direct\""),
                sockets(pid),
                metrics.sum("catchment_connections"));
    }

    /** Other descriptors are files of the WAL, whose number grows with the hot window. */
    private static double sockets(long pid) {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc", String.valueOf(pid), "fd"))) {
            return descriptors.filter(NodeFigures::isSocket).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isSocket(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }

    String describe() {
        return "heap %.0f MB, pooled buffers %.0f MB, direct %.0f MB, %.0f sockets, %.0f connections"
                .formatted(heapBytes / 1e6, pooledBytes / 1e6, directBytes / 1e6, sockets, connections);
    }
}
