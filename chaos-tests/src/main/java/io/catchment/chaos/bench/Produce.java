package io.catchment.chaos.bench;

import io.catchment.chaos.workload.Topics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * kafka-producer-perf-test, acks=all.
 *
 * @param bytes of all producers together
 * @param roundRobin every record to the next partition: the shape of many small sources; else the client's sticky batches
 * @param rateMb 10^6 bytes a second over all; 0: as fast as it goes
 */
record Produce(
        String name,
        int recordBytes,
        int partitions,
        int producers,
        int lingerMs,
        int batchBytes,
        boolean roundRobin,
        double rateMb,
        long bytes)
        implements Workload {
    private static final double WARM_UP_SHARE = 0.2;

    @Override
    public Map<String, Double> run(Contender contender, String topic, Path scratch)
            throws IOException, InterruptedException {
        double createStart = System.nanoTime();
        Topics.create(contender.bootstrap(), topic, partitions);
        double createSeconds = (System.nanoTime() - createStart) / 1e9;
        double cpu = contender.cpuSeconds();
        double machine = ProcessCpu.machineSeconds();
        double start = System.nanoTime();
        List<String> outputs = PerfTools.run(commands(contender.bootstrap(), topic), scratch);
        double wallSeconds = (System.nanoTime() - start) / 1e9;
        double machineSeconds = ProcessCpu.machineSeconds() - machine;
        double acceptCpu = contender.cpuSeconds() - cpu;
        contender.settle();
        double allCpu = contender.cpuSeconds() - cpu;
        Topics.delete(contender.bootstrap(), topic);
        Map<String, Double> values =
                measures(outputs.stream().map(PerfOutput::producer).toList(), allCpu, acceptCpu);
        values.put("create_s", createSeconds);
        values.put("wall_s", wallSeconds);
        values.put("machine_cpu_s", machineSeconds);
        return values;
    }

    /** The records alone, into a topic that stays. */
    void fill(Contender contender, String topic, Path scratch) throws IOException, InterruptedException {
        Topics.create(contender.bootstrap(), topic, partitions);
        List<String> unused = PerfTools.run(commands(contender.bootstrap(), topic), scratch);
    }

    private List<List<String>> commands(String bootstrap, String topic) {
        long records = bytes / recordBytes / producers;
        long perSecond = rateMb == 0 ? -1 : (long) (rateMb * 1e6 / recordBytes / producers);
        List<List<String>> commands = new ArrayList<>();
        for (int i = 0; i < producers; i++) {
            List<String> command = new ArrayList<>(List.of(
                    "producer-perf-test",
                    "--bootstrap-server",
                    bootstrap,
                    "--topic",
                    topic,
                    "--num-records",
                    String.valueOf(records),
                    "--record-size",
                    String.valueOf(recordBytes),
                    "--throughput",
                    String.valueOf(perSecond),
                    "--warmup-records",
                    String.valueOf((long) (records * WARM_UP_SHARE)),
                    "--command-property",
                    "acks=all",
                    "linger.ms=" + lingerMs,
                    "batch.size=" + batchBytes,
                    "buffer.memory=67108864",
                    "delivery.timeout.ms=600000",
                    "request.timeout.ms=120000",
                    "max.block.ms=120000"));
            if (roundRobin) {
                command.add("partitioner.class=org.apache.kafka.clients.producer.RoundRobinPartitioner");
            }
            commands.add(command);
        }
        return commands;
    }

    private Map<String, Double> measures(List<PerfOutput.Produced> all, double allCpu, double acceptCpu) {
        long records = all.stream().mapToLong(PerfOutput.Produced::records).sum();
        double gigabytes = records * (double) recordBytes / 1e9;
        Map<String, Double> values = new TreeMap<>();
        values.put(
                "mb_per_s",
                all.stream().mapToDouble(PerfOutput.Produced::recordsPerSecond).sum() * recordBytes / 1e6);
        values.put(
                "p50_ms",
                all.stream().mapToDouble(PerfOutput.Produced::p50Ms).max().orElse(0));
        values.put(
                "p99_ms",
                all.stream().mapToDouble(PerfOutput.Produced::p99Ms).max().orElse(0));
        values.put("cpu_s_per_gb", allCpu / gigabytes);
        values.put("cpu_us_per_record", allCpu * 1e6 / records);
        values.put("cpu_s_per_gb_before_flush", acceptCpu / gigabytes);
        return values;
    }
}
