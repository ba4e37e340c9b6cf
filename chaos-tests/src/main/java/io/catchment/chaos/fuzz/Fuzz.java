package io.catchment.chaos.fuzz;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.nodes.Exercise;
import io.catchment.chaos.nodes.Shape;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Attackers on every port of every node, beside producers and readers that behave and whose history is checked. No node may die, none may write an
 * error or an exception that nobody caught, none may keep memory, descriptors or connections, and those who behave get no error and
 * wait no longer than a bound.
 */
public final class Fuzz {
    /** What needs to be on to be attacked. */
    static final Map<String, String> SETTINGS = Map.of(
            "socket.request.max.bytes",
            "16777216",
            "replica.selector.class",
            "org.apache.kafka.common.replica.RackAwareReplicaSelector");

    static final List<String> ZONES = List.of("a", "b", "c");

    private static final Logger LOG = LoggerFactory.getLogger(Fuzz.class);
    private static final Duration QUIET = Duration.ofSeconds(10);
    private static final Duration CALM = Duration.ofSeconds(60);
    /** Of topics, groups, sessions and caches that the attackers made, which are bounded elsewhere. */
    private static final double HEAP_GROWTH_MAX = 200e6;

    private static final double SOCKETS_GROWTH_MAX = 20;
    private static final double PAUSE_MAX_MS = 15_000;

    /** @param seconds of attacks */
    public record Plan(int seconds, int attackers, Set<Port.Kind> kinds, long seed, long firstAttack) {}

    private final CatchmentCluster cluster;
    private final Plan plan;
    private final Shape shape;
    private final Verdict verdict;
    private final List<String> figures = new ArrayList<>();

    public Fuzz(CatchmentCluster cluster, Plan plan, Shape shape, Verdict verdict) {
        this.cluster = cluster;
        this.plan = plan;
        this.shape = shape;
        this.verdict = verdict;
    }

    public String run() throws Exception {
        Map<Integer, NodeFigures> before = new LinkedHashMap<>();
        List<Attackers.Target> targets = targets();
        try (var exercise = new Exercise(cluster, "behaved", shape, verdict)) {
            exercise.awaitFlow(CALM);
            pause(QUIET.toMillis());
            cluster.nodes().forEach(node -> before.put(node, NodeFigures.of(cluster, node)));
            var logs = new LogWatch(cluster);
            long begin = System.nanoTime();
            String quiet = waits(exercise, begin - QUIET.toNanos(), begin);
            attack(targets);
            long end = System.nanoTime();
            figures.add("  records wait for their acknowledgement, before: " + quiet);
            figures.add("  beside the attacks: " + waits(exercise, begin, end));
            exercise.awaitFlow(CALM);
            checkPauses(exercise, begin, end);
            checkNodes(before);
            exercise.finish();
            logs.findings().forEach(finding -> verdict.violation(Violation.Kind.FAILED, "log: " + finding));
            figures.add("  %d records acknowledged".formatted(exercise.acks().count()));
        }
        return String.join("\n", figures);
    }

    private List<Attackers.Target> targets() throws InterruptedException, ExecutionException, TimeoutException {
        Words words = words();
        KafkaFrames clients = KafkaFrames.ofClients(words);
        KafkaFrames controllers = KafkaFrames.ofControllers(words);
        String clusterId = Port.clusterId(cluster);
        List<Attackers.Target> targets = new ArrayList<>();
        for (Port port : Port.of(cluster)) {
            if (plan.kinds.contains(port.kind())) {
                targets.add(
                        switch (port.kind()) {
                            case CLIENTS -> new Attackers.Target(port, clients::next, new byte[0]);
                            case CONTROLLER -> new Attackers.Target(port, controllers::next, new byte[0]);
                            case WAL -> wal(port, clusterId);
                        });
            }
        }
        return targets;
    }

    private Attackers.Target wal(Port port, String clusterId) {
        var frames = new WalFrames(clusterId, port.node(), Port.storeId(cluster, port.node()));
        Function<SplittableRandom, byte[]> next = frames::next;
        return new Attackers.Target(port, next, frames.greeting());
    }

    /** Two topics that exist, for attackers only. */
    private Words words() throws InterruptedException, ExecutionException, TimeoutException {
        try (var admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, cluster.bootstrap()))) {
            var created = admin.createTopics(List.of(
                    new NewTopic("prey", 3, (short) 1),
                    new NewTopic("prey-compacted", 2, (short) 1).configs(Map.of("cleanup.policy", "compact"))));
            created.all().get(60, TimeUnit.SECONDS);
            List<Uuid> ids = new ArrayList<>();
            for (String topic : List.of("prey", "prey-compacted")) {
                ids.add(created.topicId(topic).get(60, TimeUnit.SECONDS));
            }
            return new Words(List.of("fuzz", "prey", "prey-compacted", "prey-group", "prey-transaction", "a"), ids);
        }
    }

    private void attack(List<Attackers.Target> targets) {
        try (var attackers = new Attackers(targets, plan.seed, plan.firstAttack)) {
            attackers.start(plan.attackers);
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(plan.seconds);
            long nextLine = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (System.nanoTime() < end && allRun()) {
                pause(500);
                if (System.nanoTime() > nextLine) {
                    nextLine += TimeUnit.SECONDS.toNanos(30);
                    LOG.info("{}", attackers.describe());
                }
            }
            figures.add("  " + attackers.describe());
        }
    }

    private boolean allRun() {
        for (int node : cluster.nodes()) {
            if (!ProcessHandle.of(cluster.pid(node)).map(ProcessHandle::isAlive).orElse(false)) {
                verdict.violation(Violation.Kind.FAILED, "node " + node + " died");
                return false;
            }
        }
        return true;
    }

    private String waits(Exercise exercise, long from, long to) {
        Set<Integer> all =
                new TreeSet<>(IntStream.range(0, shape.partitions()).boxed().toList());
        return "p50 %.1f ms, p99 %.1f ms, longest %.0f ms"
                .formatted(
                        exercise.times().waitMs(from, to, all, 0.5),
                        exercise.times().waitMs(from, to, all, 0.99),
                        exercise.times().waitMs(from, to, all, 1));
    }

    private void checkPauses(Exercise exercise, long begin, long end) {
        exercise.times().longestGaps(begin, end).values().stream()
                .filter(gap -> gap.ms() > PAUSE_MAX_MS)
                .forEach(gap -> verdict.violation(
                        Violation.Kind.LATE,
                        "partition %d took nothing for %.1f s".formatted(gap.partition(), gap.ms() / 1e3)));
    }

    private void checkNodes(Map<Integer, NodeFigures> before) {
        before.forEach((node, then) -> {
            boolean calm = Await.within(
                    CALM,
                    Duration.ofSeconds(1),
                    () -> cluster.metrics(node).sum("catchment_connections") <= then.connections() + 5);
            NodeFigures now = NodeFigures.of(cluster, node);
            figures.add(
                    "  node %d before: %s%n  node %d after: %s".formatted(node, then.describe(), node, now.describe()));
            if (!calm) {
                verdict.violation(Violation.Kind.FAILED, "node " + node + " keeps connections: " + now.describe());
            }
            if (now.pid() != then.pid()) {
                verdict.violation(Violation.Kind.FAILED, "node " + node + " was started again");
            }
            if (now.heapBytes() > then.heapBytes() + HEAP_GROWTH_MAX
                    || now.sockets() > then.sockets() + SOCKETS_GROWTH_MAX) {
                verdict.violation(
                        Violation.Kind.FAILED,
                        "node " + node + " keeps memory or sockets, before: " + then.describe() + ", after: "
                                + now.describe());
            }
        });
    }

    private static void pause(long ms) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(ms));
    }
}
