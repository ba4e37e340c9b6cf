package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.Metrics;
import java.util.Map;
import java.util.TreeMap;

/** Bytes that nodes have copied from each other for other reasons than new records, by their metrics. */
final class DataMoved {
    /** What it is called in a report, and the counter. */
    private static final Map<String, String> COUNTERS =
            Map.of("repair of extents", "catchment_wal_repaired_bytes_total");

    private DataMoved() {}

    static Map<String, Double> of(CatchmentCluster cluster) {
        Metrics metrics = cluster.metrics();
        Map<String, Double> bytes = new TreeMap<>();
        COUNTERS.forEach((what, counter) -> bytes.put(what, metrics.sum(counter)));
        return bytes;
    }

    /** In words; a node that began anew in between counts from nothing. */
    static String since(Map<String, Double> before, CatchmentCluster cluster) {
        var text = new StringBuilder("bytes copied between nodes");
        of(cluster)
                .forEach((what, bytes) ->
                        text.append(" %s %.0f".formatted(what, bytes - before.getOrDefault(what, 0.0))));
        return text.toString();
    }
}
