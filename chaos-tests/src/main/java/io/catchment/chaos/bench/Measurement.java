package io.catchment.chaos.bench;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * One run of one workload against one contender.
 *
 * @param values by name; the unit is the last word of the name
 */
record Measurement(String workload, String contender, int run, Map<String, Double> values) {
    Measurement {
        values = Map.copyOf(values);
    }

    String json() {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("workload", quoted(workload));
        fields.put("contender", quoted(contender));
        fields.put("run", String.valueOf(run));
        new TreeMap<>(values).forEach((name, value) -> fields.put(name, String.format(Locale.ROOT, "%.3f", value)));
        var json = new StringBuilder("{");
        fields.forEach((name, value) -> json.append(json.length() > 1 ? "," : "")
                .append(quoted(name))
                .append(':')
                .append(value));
        return json.append('}').toString();
    }

    private static String quoted(String text) {
        return '"' + text + '"';
    }
}
