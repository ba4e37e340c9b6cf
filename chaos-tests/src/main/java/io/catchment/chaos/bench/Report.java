package io.catchment.chaos.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Medians of all runs and their ratio, as a Markdown table. */
final class Report {
    private Report() {}

    static String markdown(List<Measurement> measurements, String first, String second) {
        Set<String> workloads = new LinkedHashSet<>();
        Map<String, List<Double>> samples = new LinkedHashMap<>();
        Map<String, Set<String>> names = new TreeMap<>();
        for (Measurement measurement : measurements) {
            workloads.add(measurement.workload());
            measurement.values().forEach((name, value) -> {
                names.computeIfAbsent(measurement.workload(), key -> new java.util.TreeSet<>())
                        .add(name);
                samples.computeIfAbsent(
                                key(measurement.workload(), name, measurement.contender()), key -> new ArrayList<>())
                        .add(value);
            });
        }
        var table = new StringBuilder("| workload | figure | %s | %s | ratio | runs |%n|---|---|---:|---:|---:|---:|%n"
                .formatted(first, second));
        for (String workload : workloads) {
            for (String name : names.getOrDefault(workload, Set.of())) {
                List<Double> a = samples.getOrDefault(key(workload, name, first), List.of());
                List<Double> b = samples.getOrDefault(key(workload, name, second), List.of());
                table.append(String.format(
                        Locale.ROOT,
                        "| %s | %s | %s | %s | %s | %d |%n",
                        workload,
                        name,
                        a.isEmpty() ? "-" : number(median(a)),
                        b.isEmpty() ? "-" : number(median(b)),
                        a.isEmpty() || b.isEmpty() || median(b) == 0 ? "-" : number(median(a) / median(b)),
                        Math.max(a.size(), b.size())));
            }
        }
        return table.toString();
    }

    private static String key(String workload, String name, String contender) {
        return workload + "\n" + name + "\n" + contender;
    }

    static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    private static String number(double value) {
        return String.format(
                Locale.ROOT, Math.abs(value) >= 100 ? "%.0f" : Math.abs(value) >= 10 ? "%.1f" : "%.2f", value);
    }
}
