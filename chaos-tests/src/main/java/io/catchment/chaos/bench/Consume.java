package io.catchment.chaos.bench;

import io.catchment.chaos.workload.Topics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * kafka-consumer-perf-test over a topic from its beginning.
 *
 * @param cold the server starts anew and the page cache is dropped first; Catchment starts without its WAL. Both then read a smaller
 *     topic first, so that neither is measured while its code is still interpreted
 */
record Consume(String name, int recordBytes, int partitions, boolean cold, long bytes) implements Workload {
    private static final int WARM_UP_PART = 5;

    @Override
    public Map<String, Double> run(Contender contender, String topic, Path scratch)
            throws IOException, InterruptedException {
        fill(contender, topic, bytes, scratch);
        Map<String, Double> values = new TreeMap<>();
        if (cold) {
            fill(contender, topic + "-warm", bytes / WARM_UP_PART, scratch);
            values.put("page_cache_dropped", contender.cool() ? 1.0 : 0.0);
            read(contender, topic + "-warm", bytes / WARM_UP_PART, scratch);
        }
        double cpu = contender.cpuSeconds();
        PerfOutput.Consumed consumed = read(contender, topic, bytes, scratch);
        double gigabytes = consumed.megabytes() / 1000;
        values.put("mb_per_s", consumed.fetchMbPerSecond());
        values.put("cpu_s_per_gb", (contender.cpuSeconds() - cpu) / gigabytes);
        Topics.delete(contender.bootstrap(), topic);
        if (cold) {
            Topics.delete(contender.bootstrap(), topic + "-warm");
        }
        return values;
    }

    private void fill(Contender contender, String topic, long bytes, Path scratch)
            throws IOException, InterruptedException {
        Topics.create(contender.bootstrap(), topic, partitions);
        PerfTools.run(
                List.of(List.of(
                        "producer-perf-test",
                        "--bootstrap-server",
                        contender.bootstrap(),
                        "--topic",
                        topic,
                        "--num-records",
                        String.valueOf(bytes / recordBytes),
                        "--record-size",
                        String.valueOf(recordBytes),
                        "--throughput",
                        "-1",
                        "--command-property",
                        "acks=all",
                        "linger.ms=5",
                        "batch.size=65536",
                        "buffer.memory=67108864",
                        "delivery.timeout.ms=600000",
                        "request.timeout.ms=120000",
                        "max.block.ms=120000")),
                scratch);
    }

    private PerfOutput.Consumed read(Contender contender, String topic, long bytes, Path scratch)
            throws IOException, InterruptedException {
        String output = PerfTools.run(
                        List.of(List.of(
                                "consumer-perf-test",
                                "--bootstrap-server",
                                contender.bootstrap(),
                                "--topic",
                                topic,
                                "--num-records",
                                String.valueOf(bytes / recordBytes),
                                "--hide-header",
                                "--timeout",
                                "60000")),
                        scratch)
                .get(0);
        PerfOutput.Consumed consumed = PerfOutput.consumer(output);
        if (consumed.records() < bytes / recordBytes) {
            throw new IllegalStateException(contender.name() + ": " + consumed.records() + " of " + bytes / recordBytes
                    + " records of " + topic + " came");
        }
        return consumed;
    }
}
