package io.catchment.chaos.fuzz;

import io.catchment.chaos.cluster.CatchmentCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** What nodes have written into their logs since it began: errors, and exceptions with their traces. Used by one thread. */
final class LogWatch {
    private static final Pattern NUMBERS = Pattern.compile("[0-9a-f]*\\d[0-9a-f]*");
    private static final int LINE_MAX = 400;
    /**
     * Attackers on the WAL's port say that they are this node: what is said of it is as it should be. And Kafka's own coordinators of groups and of
     * share groups' state, which are embedded, write some requests that they refuse as errors: known, and theirs. So is what they say when the topic
     * of the groups' offsets is itself deleted, and when a share group is deleted of which no partition has a state yet.
     */
    private static final List<String> EXPLAINED = List.of(
            "node " + WalFrames.NODE + " at ",
            " o.a.k.c.s.ShareCoordinatorShard ",
            " o.a.k.s.s.p.",
            "Error deleting share group",
            "Failed to read summary of the share partition",
            "Unable to validate read state summary request",
            "Unable to delete share group partition(s)",
            "Received error while deleting share group",
            "Delete share group parameters partitions cannot be null or empty",
            "name=__consumer_offsets]] due to: This is not the correct coordinator",
            "Unable to cleanup state for the deleted topics");

    private final CatchmentCluster cluster;
    private final Map<Integer, Integer> linesBefore = new LinkedHashMap<>();

    LogWatch(CatchmentCluster cluster) {
        this.cluster = cluster;
        cluster.nodes().forEach(node -> linesBefore.put(node, lines(node).size()));
    }

    /** Each kind of them once, with how often, the first words and the top of the trace. */
    List<String> findings() {
        Map<String, String> first = new LinkedHashMap<>();
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (int node : cluster.nodes()) {
            List<String> lines = lines(node);
            int before = linesBefore.getOrDefault(node, 0);
            // A log that was rolled begins anew
            for (int i = before <= lines.size() ? before : 0; i < lines.size(); i++) {
                boolean error =
                        lines.get(i).contains(" ERROR ") && EXPLAINED.stream().noneMatch(lines.get(i)::contains);
                boolean trace = lines.get(i).startsWith("\tat ")
                        && (i == 0 || !lines.get(i - 1).startsWith("\tat "));
                String what = trace && i > 0 ? context(lines, i) : lines.get(i);
                if (error || (trace && EXPLAINED.stream().noneMatch(what::contains))) {
                    String kind = NUMBERS.matcher(what.substring(Math.min(24, what.length())))
                            .replaceAll("#");
                    String key = kind.substring(0, Math.min(120, kind.length()));
                    counts.merge(key, 1, Integer::sum);
                    first.putIfAbsent(
                            key, "node " + node + ": " + what.substring(0, Math.min(LINE_MAX, what.length())));
                }
            }
        }
        List<String> findings = new ArrayList<>();
        first.forEach((key, what) -> findings.add(counts.get(key) + " times, such as " + what));
        return findings;
    }

    private static String context(List<String> lines, int trace) {
        int from = Math.max(0, trace - 2);
        return String.join(" | ", lines.subList(from, Math.min(lines.size(), trace + 3)));
    }

    private List<String> lines(int node) {
        Path log = cluster.logFile(node);
        try {
            return Files.exists(log)
                    ? List.of(new String(Files.readAllBytes(log), StandardCharsets.UTF_8).split("\n", -1))
                    : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
