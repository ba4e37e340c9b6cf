package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.CatchmentCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Bytes that nodes have copied from each other for other reasons than new records: extents under repair, as the nodes' logs say. */
final class DataMoved {
    private static final Pattern REPAIRED = Pattern.compile("Extent \\d+ of (\\d+) bytes is repaired");

    private final CatchmentCluster cluster;
    private final long before;

    /** From now on. */
    DataMoved(CatchmentCluster cluster) {
        this.cluster = cluster;
        this.before = bytes();
    }

    private long bytes() {
        long sum = 0;
        for (int node : cluster.nodes()) {
            Path log = cluster.logFile(node);
            try (var lines = Files.exists(log) ? Files.lines(log) : java.util.stream.Stream.<String>empty()) {
                sum += lines.map(REPAIRED::matcher)
                        .filter(matcher -> matcher.find())
                        .mapToLong(matcher -> Long.parseLong(matcher.group(1)))
                        .sum();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return sum;
    }

    long copiedBytes() {
        return bytes() - before;
    }

    String describe() {
        return "bytes copied between nodes: %d by repair of extents".formatted(copiedBytes());
    }
}
