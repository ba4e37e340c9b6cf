package io.catchment.chaos.clients;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Client by feature. Says nothing that differs from run to run, so that two clusters' tables can be compared as text. */
final class FeatureTable {
    private final Set<String> features = new LinkedHashSet<>();
    private final Map<String, Map<String, String>> cells = new LinkedHashMap<>();

    void put(String client, String feature, String outcome) {
        features.add(feature);
        cells.computeIfAbsent(client, any -> new LinkedHashMap<>()).put(feature, outcome);
    }

    /** Markdown. */
    String text() {
        List<String> lines = new ArrayList<>();
        lines.add("| client | " + String.join(" | ", features) + " |");
        lines.add("|" + " --- |".repeat(features.size() + 1));
        cells.forEach((client, outcomes) -> {
            List<String> row = new ArrayList<>(List.of(client));
            features.forEach(feature -> row.add(outcomes.getOrDefault(feature, "–")));
            lines.add("| " + String.join(" | ", row) + " |");
        });
        return String.join("\n", lines);
    }
}
