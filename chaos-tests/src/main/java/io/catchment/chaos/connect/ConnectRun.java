package io.catchment.chaos.connect;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.cluster.FreePorts;
import io.catchment.chaos.cluster.StockProcess;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.Topics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Two distributed workers with a file source, exactly once, and a file sink; workers and nodes are killed while the file grows. The topic
 * holds each line once and in order for readers of committed records; the sink's file holds each line at least once, first ones in order,
 * since a sink of files cannot do better.
 */
public final class ConnectRun {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectRun.class);
    private static final String TOPIC = "lines";
    private static final Duration PATIENCE = Duration.ofMinutes(4);

    private final Cluster cluster;
    private final Plan plan;
    private final Verdict verdict;

    /** What is done. */
    public record Plan(int rounds, int linesPerSecond, long seed) {}

    public ConnectRun(Cluster cluster, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.plan = plan;
        this.verdict = verdict;
    }

    /** Figures as a line of text. */
    public String run() throws Exception {
        Path folder = cluster.directory().resolve("connect");
        Path sink = folder.resolve("sink.txt");
        Path source = folder.resolve("source.txt");
        Files.createDirectories(folder);
        Topics.create(cluster.bootstrap(), TOPIC, 1);
        List<StockProcess> workers = new ArrayList<>();
        List<Integer> ports = List.of(FreePorts.pair(), FreePorts.pair());
        var connectors = new Connectors(ports);
        long lines;
        try (var file = new SourceFile(source, plan.linesPerSecond())) {
            for (int i = 0; i < ports.size(); i++) {
                var worker = StockProcess.configured(
                        "connect",
                        "org.apache.kafka.connect.cli.ConnectDistributed",
                        folder.resolve("worker-" + i),
                        settings(ports.get(i)));
                workers.add(worker);
                worker.start();
            }
            connectors.put("source", sourceConfig(source));
            connectors.put("sink", sinkConfig(sink));
            awaitProgress(connectors, sink, "the connectors began");
            var random = new SplittableRandom(plan.seed());
            for (int round = 1; round <= plan.rounds(); round++) {
                strike(round, workers, random);
                awaitProgress(connectors, sink, "round " + round);
            }
            lines = file.end();
            long all = lines;
            Await.within(PATIENCE, Duration.ofMillis(200), () -> {
                connectors.restartFailed("source");
                connectors.restartFailed("sink");
                return SinkFile.last(sink) >= all - 1;
            });
        } finally {
            workers.forEach(StockProcess::close);
        }
        checkTopic(lines);
        long more = SinkFile.check(sink, lines, verdict);
        return "  %d rounds: %d lines, in the topic once each, in the sink's file %d of them again; %d restarts of failed tasks"
                .formatted(plan.rounds(), lines, more, connectors.restarts());
    }

    private void strike(int round, List<StockProcess> workers, SplittableRandom random)
            throws IOException, InterruptedException {
        Thread.sleep(500 + random.nextInt(2_500));
        int what = round <= 3 ? round - 1 : random.nextInt(3);
        StockProcess worker = workers.get(random.nextInt(workers.size()));
        int node = cluster.nodes().get(random.nextInt(cluster.nodes().size()));
        LOG.info("round {}: kill -9 of {}{}", round, what != 1 ? "a worker " : "", what != 0 ? "node " + node : "");
        if (what != 1) {
            worker.kill();
        }
        if (what != 0) {
            cluster.kill(node);
        }
        Thread.sleep(500 + random.nextInt(2_500));
        if (what != 0) {
            cluster.start(node);
        }
        if (what != 1) {
            worker.start();
        }
    }

    /** Lines come out again. */
    private void awaitProgress(Connectors connectors, Path sink, String after) {
        long before = SinkFile.last(sink);
        boolean goesOn = Await.within(PATIENCE, Duration.ofMillis(250), () -> {
            connectors.restartFailed("source");
            connectors.restartFailed("sink");
            return SinkFile.last(sink) > before + plan.linesPerSecond();
        });
        if (!goesOn) {
            verdict.violation(
                    Violation.Kind.LATE, "no lines for " + PATIENCE.toSeconds() + " s (" + after + "), at " + before);
        }
    }

    private Map<String, String> settings(int port) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "bootstrap.servers", cluster.bootstrap(),
                "group.id", "connect-cluster",
                "key.converter", "org.apache.kafka.connect.storage.StringConverter",
                "value.converter", "org.apache.kafka.connect.storage.StringConverter",
                "exactly.once.source.support", "enabled",
                "listeners", "http://127.0.0.1:" + port,
                "plugin.discovery", "only_scan",
                "offset.flush.interval.ms", "1000",
                "scheduled.rebalance.max.delay.ms", "3000",
                "consumer.isolation.level", "read_committed"));
        // a killed worker is to be missed in seconds
        settings.putAll(Map.of(
                "session.timeout.ms", "6000",
                "heartbeat.interval.ms", "1000",
                "rebalance.timeout.ms", "10000",
                "consumer.session.timeout.ms", "6000",
                "consumer.heartbeat.interval.ms", "1000"));
        for (String kind : List.of("config", "offset", "status")) {
            settings.put(kind + ".storage.topic", "connect-" + kind);
            settings.put(kind + ".storage.replication.factor", "3");
        }
        return settings;
    }

    private static Map<String, String> sourceConfig(Path file) {
        return Map.of(
                "connector.class", "org.apache.kafka.connect.file.FileStreamSourceConnector",
                "tasks.max", "1",
                "file", file.toString(),
                "topic", TOPIC,
                "batch.size", "500",
                "exactly.once.support", "required",
                "transaction.boundary", "poll");
    }

    private static Map<String, String> sinkConfig(Path file) {
        return Map.of(
                "connector.class", "org.apache.kafka.connect.file.FileStreamSinkConnector",
                "tasks.max", "1",
                "file", file.toString(),
                "topics", TOPIC,
                "consumer.override.auto.offset.reset", "earliest");
    }

    private void checkTopic(long lines) {
        List<String> values = Committed.values(cluster.bootstrap(), TOPIC);
        long next = 0;
        for (String value : values) {
            if (!value.equals(SourceFile.line(next))) {
                verdict.violation(
                        values.size() > lines ? Violation.Kind.DUPLICATED : Violation.Kind.LOST,
                        "in the topic comes %s instead of %s".formatted(value, SourceFile.line(next)));
                break;
            }
            next++;
        }
        if (next != lines || values.size() != lines) {
            verdict.violation(
                    Violation.Kind.LOST,
                    "%d lines in the file, %d in the topic, the first %d as written"
                            .formatted(lines, values.size(), next));
        }
    }
}
