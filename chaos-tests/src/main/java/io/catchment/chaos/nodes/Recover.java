package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.FlushProgress;
import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.HistoryChecker;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.Follower;
import io.catchment.chaos.workload.LogReader;
import io.catchment.chaos.workload.StampedProducer;
import io.catchment.chaos.workload.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;

/**
 * All nodes and controllers are lost with their disks once everything is flushed; a new cluster begins from the bucket. Every acknowledged
 * record, the topic's configuration and the groups' offsets must be there, the bucket must be what the catalog says, and the streams go
 * on. Owned by the thread that runs it.
 */
final class Recover {
    private static final Duration FLUSH = Duration.ofMinutes(5);
    private static final Duration FOLLOW = Duration.ofMinutes(5);
    private static final String RETENTION_MS = "987654321000";

    /** @param nodes of the new cluster, which need not be as many as the old one had */
    record Plan(int partitions, long records, int valueBytes, boolean groups, int nodes, long seed) {}

    private final CatchmentCluster lost;
    private final Path directory;
    private final CatchmentCluster.Options options;
    private final Plan plan;
    private final Verdict verdict;
    private final String topic;
    private final AckLog acks = new AckLog();
    private final List<String> figures = new ArrayList<>();

    /**
     * @param lost is destroyed
     * @param directory of the new cluster
     * @param options with the object store, by which the new cluster is made
     */
    Recover(CatchmentCluster lost, Path directory, CatchmentCluster.Options options, Plan plan, Verdict verdict) {
        this.lost = lost;
        this.directory = directory;
        this.options = options;
        this.plan = plan;
        this.verdict = verdict;
        this.topic = "recover-" + plan.seed;
    }

    String run() throws Exception {
        Topics.create(lost.bootstrap(), topic, plan.partitions);
        configure();
        List<Follower> followers = load();
        FlushProgress.awaitAllFlushed(lost, FLUSH);
        lost.kill(lost.nodes());
        lost.close();

        long start = System.nanoTime();
        try (CatchmentCluster recovered = CatchmentCluster.recover(directory, options)) {
            figures.add("  %d partitions recovered and %d nodes ready %.1f s after the command"
                    .formatted(plan.partitions, plan.nodes, seconds(start)));
            check(recovered, followers, Map.of(0, plan.records));
            figures.add("  all %d records read back %.1f s after the command".formatted(acks.count(), seconds(start)));
            send(recovered.bootstrap(), plan.records / 10, 1);
            check(recovered, followers, Map.of(0, plan.records, 1, plan.records / 10));
            FlushProgress.awaitAllFlushed(recovered, FLUSH);
            recovered.verifyStore();
        } catch (IllegalStateException failed) {
            verdict.violation(Violation.Kind.FAILED, String.valueOf(failed.getMessage()));
        }
        return String.join("\n", figures);
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }

    private void configure() throws ExecutionException, InterruptedException {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", lost.bootstrap()))) {
            admin.incrementalAlterConfigs(Map.of(
                            resource(),
                            List.of(new AlterConfigOp(new ConfigEntry("retention.ms", RETENTION_MS), OpType.SET))))
                    .all()
                    .get();
        }
    }

    private ConfigResource resource() {
        return new ConfigResource(ConfigResource.Type.TOPIC, topic);
    }

    private List<Follower> load() {
        List<Follower> followers = new ArrayList<>();
        if (plan.groups) {
            followers.add(new Follower(lost.bootstrap(), topic, topic + "-classic", "classic", verdict));
            followers.add(new Follower(lost.bootstrap(), topic, topic + "-consumer", "consumer", verdict));
        }
        send(lost.bootstrap(), plan.records, 0);
        if (!Await.within(FOLLOW, () -> followers.stream().allMatch(follower -> follower.received() >= acks.count()))) {
            verdict.violation(Violation.Kind.LATE, "the groups have not received all records");
        }
        followers.forEach(Follower::finish);
        return followers;
    }

    private void send(String bootstrap, long records, int producer) {
        long before = acks.count();
        try (var client = new StampedProducer(
                bootstrap, topic, plan.partitions, plan.valueBytes, producer, plan.seed + producer, acks, verdict)) {
            client.send(records);
        }
        if (acks.count() - before != records) {
            verdict.violation(
                    Violation.Kind.FAILED, acks.count() - before + " of " + records + " sends were acknowledged");
        }
    }

    private void check(CatchmentCluster recovered, List<Follower> followers, Map<Integer, Long> sent)
            throws ExecutionException, InterruptedException {
        String bootstrap = recovered.bootstrap();
        var checker = new HistoryChecker(acks, sent, verdict);
        LogReader.readAll(bootstrap, topic, checker);
        followers.forEach(follower -> follower.checkCommits(bootstrap));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            Config found =
                    admin.describeConfigs(List.of(resource())).all().get().get(resource());
            String retention =
                    found == null ? "absent" : found.get("retention.ms").value();
            if (!retention.equals(RETENTION_MS)) {
                verdict.violation(Violation.Kind.FAILED, "the topic's retention.ms is " + retention);
            }
        }
    }
}
