package io.catchment.chaos.bench;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What Kafka's perf tools print. */
final class PerfOutput {
    private static final Pattern PRODUCER =
            Pattern.compile("(\\d+) (?:steady state )?records sent, ([\\d.]+) records/sec.*?"
                    + "([\\d.]+) ms avg latency.*?([\\d.]+) ms 50th.*?([\\d.]+) ms 99th.*?([\\d.]+) ms 99.9th");

    private PerfOutput() {}

    /** @param p50Ms of the steady state when there is one, else of all */
    record Produced(long records, double recordsPerSecond, double p50Ms, double p99Ms) {}

    static Produced producer(String output) {
        List<String> summaries =
                output.lines().filter(line -> line.contains("99.9th")).toList();
        if (summaries.isEmpty()) {
            throw new IllegalStateException("no summary in the output of kafka-producer-perf-test:\n" + output);
        }
        // the first summary counts all records, the last the latencies after the warm-up
        Matcher all = match(summaries.get(0));
        Matcher steady = match(summaries.get(summaries.size() - 1));
        return new Produced(
                Long.parseLong(all.group(1)),
                Double.parseDouble(all.group(2)),
                Double.parseDouble(steady.group(4)),
                Double.parseDouble(steady.group(5)));
    }

    private static Matcher match(String line) {
        Matcher matcher = PRODUCER.matcher(line);
        if (!matcher.find()) {
            throw new IllegalStateException("not the summary of kafka-producer-perf-test: " + line);
        }
        return matcher;
    }

    /** @param fetchMbPerSecond 10^6 bytes a second while fetching, without joining the group */
    record Consumed(long records, double megabytes, double fetchMbPerSecond) {}

    /** Columns: start, end, MB (2^20), MB/s, records, records/s, rebalance ms, fetch ms, fetch MB/s, fetch records/s. */
    static Consumed consumer(String output) {
        for (String line : output.lines().toList()) {
            String[] columns = line.split(", *", -1);
            if (columns.length == 10) {
                double mebi = 1048576 / 1e6;
                return new Consumed(
                        Long.parseLong(columns[4]),
                        Double.parseDouble(columns[2]) * mebi,
                        Double.parseDouble(columns[8]) * mebi);
            }
        }
        throw new IllegalStateException("no result line in the output of kafka-consumer-perf-test:\n" + output);
    }
}
