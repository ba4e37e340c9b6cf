package io.catchment.chaos.bench;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.cluster.FileTree;
import io.catchment.chaos.cluster.KafkaCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** chaos bench. */
@Command(
        name = "bench",
        description =
                "Catchment and Apache Kafka 4.4, as many nodes each, side by side, alternating; medians as a Markdown table, raw JSON lines in a file.")
public final class BenchCommand implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(BenchCommand.class);
    private static final String KAFKA = "Kafka";
    private static final String CATCHMENT = "Catchment";

    @Option(
            names = "--runs",
            defaultValue = "5",
            description = "Of each workload on each server. Default: ${DEFAULT-VALUE}")
    private int runs;

    @Option(
            names = "--quick",
            description = "A tenth of the data, one run, short idle times: shows that it works, measures little")
    private boolean quick;

    @Option(
            names = "--scale",
            defaultValue = "1",
            description = "Factor on the amounts of data. Default: ${DEFAULT-VALUE}")
    private double scale;

    @Option(names = "--only", split = ",", description = "Workloads whose names begin with one of these")
    private List<String> only = new ArrayList<>();

    @Option(
            names = "--contenders",
            split = ",",
            defaultValue = "Catchment,Kafka",
            description = "Default: ${DEFAULT-VALUE}")
    private List<String> contenders = new ArrayList<>();

    @Option(
            names = "--nodes",
            defaultValue = "1",
            description =
                    "Of each contender. 3: copies on three nodes, two must have a record. Default: ${DEFAULT-VALUE}")
    private int nodes;

    @Option(names = "--dir", description = "For the servers' data. Default: a temporary folder")
    private @Nullable Path directory;

    @Option(
            names = "--results",
            description = "File the JSON lines are added to. Default: bench-results.jsonl in this folder")
    private Path results = Path.of("bench-results.jsonl");

    @Option(names = "--set", description = "KEY=VALUE: one more configuration key of the Catchment node; repeatable")
    private Map<String, String> settings = new LinkedHashMap<>();

    private List<Workload> workloads() {
        double factor = quick ? scale / 10 : scale;
        long gb = (long) (1_000_000_000 * factor);
        Duration time = quick ? Duration.ofSeconds(3) : Duration.ofSeconds(15);
        Duration settle = quick ? Duration.ofSeconds(2) : Duration.ofSeconds(15);
        List<Workload> all = List.of(
                new Produce("produce 1 KiB, 12 partitions", 1024, 12, 1, 5, 65_536, false, 0, gb),
                new Produce("produce 1 KiB, 12 partitions, 20 MB/s", 1024, 12, 1, 5, 65_536, false, 20, gb / 3),
                new Tail("tail, 20 MB/s", 1024, 12, 20, settle, time),
                new Consume("consume what was just written", 1024, 12, false, gb),
                new Consume("cold consume", 1024, 12, true, gb),
                // last: Kafka goes on deleting the files of many partitions for a while
                new Produce("produce 200 B, 100 partitions, round robin", 200, 100, 3, 20, 4096, true, 0, gb / 10),
                new Produce(
                        "produce 200 B, 1000 partitions, round robin", 200, 1000, 3, 20, 4096, true, 0, gb * 6 / 100),
                new Produce(
                        "produce 200 B, 5000 partitions, round robin", 200, 5000, 3, 20, 4096, true, 0, gb * 6 / 100),
                new Idle("idle, 1000 partitions", 1000, settle, time),
                new NodeChange("loss of a node, 12 partitions", NodeChange.Kind.LOSS, 12, 1200, 0),
                new NodeChange("loss of a node, 1000 partitions", NodeChange.Kind.LOSS, 1000, 2000, 0),
                new NodeChange("replacement of a node", NodeChange.Kind.REPLACEMENT, 12, 1200, 2 * gb),
                new NodeChange("addition of a node, 1000 partitions", NodeChange.Kind.ADDITION, 1000, 1000, gb));
        return all.stream()
                .filter(workload -> nodes > 1 || !workload.needsSeveralNodes())
                .filter(workload -> only.isEmpty() || only.stream().anyMatch(workload.name()::startsWith))
                .toList();
    }

    @Override
    public Integer call() throws Exception {
        Path folder = directory == null ? Files.createTempDirectory("chaos-bench") : Files.createDirectories(directory);
        int count = quick ? 1 : runs;
        List<Measurement> measurements = new ArrayList<>();
        List<Cluster> servers = new ArrayList<>();
        try {
            List<Contender> both = new ArrayList<>();
            for (String name : contenders) {
                Cluster cluster = name.equals(KAFKA)
                        ? KafkaCluster.up(folder.resolve("kafka"), nodes)
                        : CatchmentCluster.up(
                                folder.resolve("catchment"),
                                CatchmentCluster.Options.of(nodes).with("", settings));
                servers.add(cluster);
                both.add(new Contender(cluster));
            }
            warmUp(both, folder);
            for (Workload workload : workloads()) {
                for (int run = 0; run < count; run++) {
                    for (int turn = 0; turn < both.size(); turn++) {
                        // who goes first changes from run to run
                        Contender contender = both.get((turn + run) % both.size());
                        measurements.add(measure(workload, contender, run, folder));
                    }
                }
            }
        } finally {
            for (Cluster server : servers) {
                server.close();
            }
            if (directory == null) {
                FileTree.delete(folder);
            }
        }
        System.out.println(Report.markdown(measurements, CATCHMENT, KAFKA));
        return 0;
    }

    private void warmUp(List<Contender> both, Path folder) throws IOException, InterruptedException {
        long bytes = quick ? 100_000_000 : (long) (2_000_000_000 * scale);
        for (Contender contender : both) {
            LOG.info("warming {} up with {} MB", contender.name(), bytes / 1_000_000);
            new Produce("warm-up", 1024, 12, 1, 5, 65_536, false, 0, bytes).run(contender, "warm-up", folder);
            new Consume("warm-up", 1024, 12, false, bytes / 4).run(contender, "warm-up-read", folder);
        }
    }

    private Measurement measure(Workload workload, Contender contender, int run, Path folder)
            throws IOException, InterruptedException {
        PageCache.writeBack();
        String topic = "bench-" + run + "-" + workload.name().replaceAll("[^a-zA-Z0-9]+", "-");
        var measurement =
                new Measurement(workload.name(), contender.name(), run, workload.run(contender, topic, folder));
        LOG.info("{}", measurement.json());
        Files.writeString(results, measurement.json() + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        return measurement;
    }
}
