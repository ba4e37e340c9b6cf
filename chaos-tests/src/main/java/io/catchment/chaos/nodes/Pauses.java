package io.catchment.chaos.nodes;

import io.catchment.chaos.history.AckTimes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The longest pause in acknowledgements that each fault cost each partition, apart for partitions of the nodes that failed, for those
 * that were on their way to another node when it happened, and for the others. Owned by the thread that runs the scenario.
 */
final class Pauses {
    private static final Logger LOG = LoggerFactory.getLogger(Pauses.class);

    /** @param what of the fault, for reports */
    record Fault(String what, Set<Integer> nodes, Map<Integer, Integer> leaders, long fromNanos) {}

    /** A pause that was so old when the fault came is not the fault's alone: the partition was being moved. */
    private static final double BEFORE_MS = 100;

    private final AckTimes times;
    private final List<Double> ofTheirs = new ArrayList<>();
    private final List<Double> ofOthers = new ArrayList<>();
    private final List<Double> onTheirWay = new ArrayList<>();

    Pauses(AckTimes times) {
        this.times = times;
    }

    /** A fault's time is over: its pauses are counted. */
    void over(Fault fault, long untilNanos) {
        List<Double> theirs = new ArrayList<>();
        List<Double> others = new ArrayList<>();
        List<Double> moving = new ArrayList<>();
        Map<Double, String> worst = new TreeMap<>();
        times.longestGaps(fault.fromNanos, untilNanos).forEach((partition, gap) -> {
            boolean hit = fault.nodes.contains(fault.leaders.getOrDefault(partition, -1));
            double begun = (gap.startNanos() - fault.fromNanos) / 1e6;
            if (hit) {
                theirs.add(gap.ms());
            } else {
                (begun < -BEFORE_MS ? moving : others).add(gap.ms());
                worst.put(
                        -gap.ms(),
                        "partition %d, led by %s, from %.0f ms"
                                .formatted(partition, fault.leaders.get(partition), begun));
            }
        });
        ofTheirs.addAll(theirs);
        onTheirWay.addAll(moving);
        ofOthers.addAll(others);
        LOG.info(
                "{}: its partitions {}; others {}{}{}",
                fault.what,
                figures(theirs),
                figures(others),
                moving.isEmpty() ? "" : "; on their way " + figures(moving),
                worst.isEmpty() ? "" : " (worst: " + worst.values().iterator().next() + ")");
    }

    /** Lines, one of each kind. */
    String describe() {
        return "  pauses of partitions of the failed nodes: " + figures(ofTheirs)
                + "\n  pauses of the other partitions:           " + figures(ofOthers)
                + (onTheirWay.isEmpty()
                        ? ""
                        : "\n  pauses of partitions that were being moved: " + figures(onTheirWay));
    }

    double medianOfTheirs() {
        return share(ofTheirs, 0.5);
    }

    double worstOfTheirs() {
        return share(ofTheirs, 1);
    }

    double medianOfOthers() {
        return share(ofOthers, 0.5);
    }

    double worstOfOthers() {
        return share(ofOthers, 1);
    }

    static String figures(List<Double> values) {
        return values.isEmpty()
                ? "none"
                : String.format(
                        Locale.ROOT,
                        "%d, median %.0f ms, p90 %.0f ms, p99 %.0f ms, worst %.0f ms",
                        values.size(),
                        share(values, 0.5),
                        share(values, 0.9),
                        share(values, 0.99),
                        share(values, 1));
    }

    static double share(List<Double> values, double share) {
        if (values.isEmpty()) {
            return 0;
        }
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        return sorted[(int) Math.min(sorted.length - 1L, (long) (share * sorted.length))];
    }
}
