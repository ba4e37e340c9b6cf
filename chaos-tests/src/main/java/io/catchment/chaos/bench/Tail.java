package io.catchment.chaos.bench;

import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.workload.Follower;
import io.catchment.chaos.workload.Latencies;
import io.catchment.chaos.workload.StampedProducer;
import io.catchment.chaos.workload.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;

/** A producer at a steady rate and a group that follows it: latency from send to receipt, and the server's CPU for both. */
record Tail(String name, int recordBytes, int partitions, double rateMb, Duration warmUp, Duration time)
        implements Workload {

    @Override
    public Map<String, Double> run(Contender contender, String topic, Path scratch) {
        Topics.create(contender.bootstrap(), topic, partitions);
        var verdict = new Verdict();
        var acks = new AckLog();
        Map<String, Double> values = new TreeMap<>();
        double cpu;
        double gigabytes;
        try (var follower = new Follower(contender.bootstrap(), topic, topic + "-group", "classic", verdict);
                var producer = new StampedProducer(
                        contender.bootstrap(), topic, partitions, recordBytes, 0, 1, acks, verdict)) {
            int perSecond = (int) (rateMb * 1e6 / recordBytes);
            long begin = System.nanoTime();
            producer.sendAtRate(perSecond, () -> System.nanoTime() - begin >= warmUp.toNanos());
            follower.resetLatencies();
            long before = acks.count();
            cpu = contender.cpuSeconds();
            long start = System.nanoTime();
            producer.sendAtRate(perSecond, () -> System.nanoTime() - start >= time.toNanos());
            double seconds = (System.nanoTime() - start) / 1e9;
            Latencies latencies = follower.resetLatencies();
            long records = acks.count() - before;
            gigabytes = records * (double) recordBytes / 1e9;
            values.put("mb_per_s", gigabytes * 1000 / seconds);
            values.put("p50_ms", latencies.percentileMs(0.5));
            values.put("p99_ms", latencies.percentileMs(0.99));
        }
        // a group that goes on committing would leave something to flush for ever
        contender.settle();
        values.put("cpu_s_per_gb", (contender.cpuSeconds() - cpu) / gigabytes);
        if (!verdict.clean()) {
            throw new IllegalStateException(name + " on " + contender.name() + ": " + verdict.describe());
        }
        Topics.delete(contender.bootstrap(), topic);
        return values;
    }
}
