package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.Checkout;
import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.cluster.StockProcess;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.kafka.clients.admin.Admin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Two processes of a Streams application that counts orders. In each round one of them, a node, or both are killed, and started again
 * after a while. In the end every count of every article has come out once, and the last ones are the numbers of orders taken.
 */
final class StreamsRun {
    private static final Logger LOG = LoggerFactory.getLogger(StreamsRun.class);
    private static final String APPLICATION = "counted-orders";
    private static final int PARTITIONS = 4;
    private static final int PROCESSES = 2;
    private static final Duration PATIENCE = Duration.ofMinutes(4);

    private final Cluster cluster;
    private final Plan plan;
    private final Verdict verdict;

    /** @param protocol of the application's group: classic or streams */
    record Plan(String protocol, int rounds, int ordersPerSecond, long seed) {}

    StreamsRun(Cluster cluster, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.plan = plan;
        this.verdict = verdict;
    }

    String run() throws Exception {
        Topics.create(cluster.bootstrap(), Orders.TOPIC, PARTITIONS);
        Topics.create(cluster.bootstrap(), Totals.TOPIC, PARTITIONS);
        var random = new SplittableRandom(plan.seed());
        List<StockProcess> processes = new ArrayList<>();
        try (var totals = new Totals(cluster.bootstrap(), PARTITIONS, verdict)) {
            var orders = new Orders(cluster.bootstrap(), plan.ordersPerSecond(), plan.seed(), verdict);
            try {
                for (int i = 0; i < PROCESSES; i++) {
                    Path folder = cluster.directory().resolve("streams-" + i);
                    var process = new StockProcess(
                            "streams",
                            folder,
                            List.of(
                                    Checkout.streamsApplication().toString(),
                                    cluster.bootstrap(),
                                    APPLICATION,
                                    plan.protocol(),
                                    folder.resolve("state").toString()));
                    processes.add(process);
                    process.start();
                }
                awaitProgress(totals, "the application began");
                for (int round = 1; round <= plan.rounds(); round++) {
                    strike(round, processes, totals, random);
                }
            } finally {
                orders.close();
            }
            finish(orders, totals);
            return "  %s protocol, %d rounds: %d orders, %d counts, topics %s"
                    .formatted(plan.protocol(), plan.rounds(), orders.sum(), totals.sum(), internalTopics());
        } finally {
            processes.forEach(StockProcess::close);
        }
    }

    private void strike(int round, List<StockProcess> processes, Totals totals, SplittableRandom random)
            throws Exception {
        Thread.sleep(1_000 + random.nextInt(3_000));
        int what = random.nextInt(3);
        StockProcess process = processes.get(random.nextInt(processes.size()));
        int node = cluster.nodes().get(random.nextInt(cluster.nodes().size()));
        boolean ofApplication = what != 1;
        boolean ofCluster = what != 0;
        LOG.info(
                "round {}: kill -9 of {}{}{}",
                round,
                ofApplication ? "a process of the application" : "",
                ofApplication && ofCluster ? " and of " : "",
                ofCluster ? "node " + node : "");
        if (ofApplication) {
            process.kill();
        }
        if (ofCluster) {
            cluster.kill(node);
        }
        Thread.sleep(500 + random.nextInt(3_000));
        if (ofCluster) {
            cluster.start(node);
        }
        if (ofApplication) {
            process.start();
        }
        awaitProgress(totals, "round " + round);
    }

    /** Counts come out again. */
    private void awaitProgress(Totals totals, String after) {
        long before = totals.sum();
        if (!Await.within(PATIENCE, Duration.ofMillis(100), () -> totals.sum() > before + plan.ordersPerSecond())) {
            verdict.violation(
                    Violation.Kind.LATE, "no counts for " + PATIENCE.toSeconds() + " s (" + after + "), at " + before);
        }
    }

    private void finish(Orders orders, Totals totals) {
        boolean all = Await.within(PATIENCE, Duration.ofMillis(200), () -> totals.sum() >= orders.sum());
        orders.taken().forEach((article, taken) -> {
            long counted = totals.of(article);
            if (counted != taken.get()) {
                verdict.violation(
                        counted < taken.get() ? Violation.Kind.LOST : Violation.Kind.DUPLICATED,
                        "%s was ordered %d times and counted %d times%s"
                                .formatted(article, taken.get(), counted, all ? "" : " when time was up"));
            }
        });
    }

    private List<String> internalTopics() throws Exception {
        try (Admin admin = Admin.create(java.util.Map.of("bootstrap.servers", cluster.bootstrap()))) {
            return admin.listTopics().names().get().stream()
                    .filter(topic -> topic.startsWith(APPLICATION))
                    .sorted()
                    .toList();
        }
    }
}
