package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation.Kind;
import io.catchment.chaos.workload.Topics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.SharePartitionOffsetInfo;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringSerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A share group of many members over few partitions (KIP-932), while processes with members of it are killed, and nodes too: each record that was
 * acknowledged to its producer is delivered and in the end done with, and what is done with is not delivered again.
 */
final class Share {
    private static final Logger LOG = LoggerFactory.getLogger(Share.class);
    private static final Duration DECIDED = Duration.ofMinutes(2);

    /**
     * @param crews processes
     * @param members of each
     * @param killNodes whether nodes die too
     */
    record Plan(
            int rounds,
            int partitions,
            int crews,
            int members,
            int recordsPerSecond,
            int calmMs,
            int downMs,
            boolean killNodes,
            long seed) {}

    private final Cluster cluster;
    private final Plan plan;
    private final Verdict verdict;
    private final String topic;
    private final String group;
    private final SplittableRandom random;
    private final ShareLedger ledger;
    private final Set<ShareLedger.Place> written = ConcurrentHashMap.newKeySet();
    private final Map<Integer, ShareJournal.Reader> journals = new HashMap<>();
    private final List<Crew> crews = new CopyOnWriteArrayList<>();
    private int started;
    private volatile boolean writing = true;

    private record Crew(int number, Process process) {}

    Share(Cluster cluster, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.plan = plan;
        this.verdict = verdict;
        this.topic = "shared-" + plan.seed();
        this.group = "crew-" + plan.seed();
        this.random = new SplittableRandom(plan.seed());
        this.ledger = new ShareLedger(verdict);
    }

    /** What was delivered, as text. */
    String run() throws Exception {
        Topics.create(cluster.bootstrap(), topic, plan.partitions());
        configure();
        Thread writer = new Thread(this::write, "writer");
        writer.setDaemon(true);
        Runtime.getRuntime().addShutdownHook(new Thread(this::dismiss, "dismiss-crews"));
        try {
            for (int crew = 0; crew < plan.crews(); crew++) {
                crews.add(start());
            }
            writer.start();
            awaitFlow();
            for (int round = 0; round < plan.rounds() && verdict.clean(); round++) {
                round(round);
            }
            writing = false;
            writer.join();
            awaitDecided();
            checkGroupIsDone();
        } finally {
            writing = false;
            dismiss();
        }
        return "  %d records written, %d done with, %d deliveries, %d records delivered more than once%n"
                .formatted(written.size(), ledger.done(), ledger.deliveries(), ledger.redelivered());
    }

    private void dismiss() {
        crews.forEach(crew -> crew.process().destroyForcibly());
    }

    private void configure() throws Exception {
        Map<String, String> configs = Map.of(
                "share.auto.offset.reset", "earliest",
                "share.record.lock.duration.ms", "15000",
                "share.delivery.count.limit", "10");
        try (Admin admin = admin()) {
            List<AlterConfigOp> changes = configs.entrySet().stream()
                    .map(each -> new AlterConfigOp(
                            new ConfigEntry(each.getKey(), each.getValue()), AlterConfigOp.OpType.SET))
                    .toList();
            admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.GROUP, group), changes))
                    .all()
                    .get(60, TimeUnit.SECONDS);
        }
    }

    private Crew start() throws IOException {
        int number = started++;
        Path journal = cluster.directory().resolve("crew-" + number + ".journal");
        journals.put(number, new ShareJournal.Reader(journal));
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Dlogback.configurationFile=io/catchment/chaos/logback.xml",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "io.catchment.chaos.ChaosCommand",
                        "share-crew",
                        "--bootstrap",
                        cluster.bootstrap(),
                        "--topic",
                        topic,
                        "--group",
                        group,
                        "--members",
                        String.valueOf(plan.members()),
                        "--journal",
                        journal.toString(),
                        "--seed",
                        String.valueOf(plan.seed() + 1000L * number))
                .redirectErrorStream(true)
                .redirectOutput(
                        cluster.directory().resolve("crew-" + number + ".log").toFile())
                .start();
        return new Crew(number, process);
    }

    private void awaitFlow() {
        if (!Await.within(DECIDED, Duration.ofMillis(200), () -> {
            follow();
            return ledger.done() > 0;
        })) {
            verdict.violation(Kind.LATE, "nothing is done with after " + DECIDED.toSeconds() + " s");
        }
    }

    private void round(int round) throws Exception {
        follow(500 + random.nextInt(plan.calmMs()));
        int dying = random.nextInt(crews.size());
        Crew crew = crews.get(dying);
        LOG.info("round {}: kill -9 of crew {} with {} members", round, crew.number(), plan.members());
        crew.process().destroyForcibly().waitFor();
        ledger.killed(crew.number(), System.currentTimeMillis());
        int downMs = random.nextInt(plan.downMs());
        if (plan.killNodes()) {
            int victim = cluster.nodes().get(random.nextInt(cluster.nodes().size()));
            LOG.info("round {}: kill -9 of node {}, started after {} ms", round, victim, downMs);
            cluster.kill(victim);
            follow(downMs);
            cluster.start(victim);
        } else {
            follow(downMs);
        }
        crews.set(dying, start());
        follow(2_000);
    }

    private void write() {
        int partition = 0;
        try (var producer = new KafkaProducer<>(
                Map.<String, Object>of("bootstrap.servers", cluster.bootstrap(), "linger.ms", 5),
                new StringSerializer(),
                new StringSerializer())) {
            for (int i = 0; writing; i++) {
                partition = (partition + 1) % plan.partitions();
                var unused =
                        producer.send(new ProducerRecord<>(topic, partition, null, "record-" + i), (sent, failure) -> {
                            if (failure == null) {
                                written.add(new ShareLedger.Place(sent.partition(), sent.offset()));
                            } else {
                                verdict.violation(Kind.FAILED, "a send failed: " + failure);
                            }
                        });
                Drill.sleep(1000 / plan.recordsPerSecond());
            }
        }
    }

    private void follow(int ms) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
        while (System.nanoTime() < deadline) {
            follow();
            Drill.sleep(50);
        }
    }

    private void follow() {
        journals.forEach((crew, journal) -> {
            try {
                ledger.enter(crew, journal.next());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private void awaitDecided() {
        boolean decided = Await.within(DECIDED, Duration.ofMillis(500), () -> {
            follow();
            return ledger.undecided(written).isEmpty();
        });
        if (!decided) {
            verdict.violation(
                    Kind.LOST,
                    "of %d records, not delivered and done with: %s"
                            .formatted(written.size(), ledger.undecided(written)));
        }
    }

    /** As the group itself has it: it begins behind the last record of each partition. */
    private void checkGroupIsDone() throws InterruptedException {
        try (Admin admin = admin()) {
            boolean done = Await.within(DECIDED, Duration.ofMillis(500), () -> {
                follow();
                return ends(admin).equals(starts(admin));
            });
            if (!done) {
                verdict.violation(Kind.LATE, "the group stands at %s of %s".formatted(starts(admin), ends(admin)));
            }
        }
    }

    private Map<TopicPartition, Long> ends(Admin admin) {
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        for (int partition = 0; partition < plan.partitions(); partition++) {
            latest.put(new TopicPartition(topic, partition), OffsetSpec.latest());
        }
        Map<TopicPartition, Long> ends = new HashMap<>();
        get(() -> admin.listOffsets(latest).all().get(60, TimeUnit.SECONDS))
                .forEach((partition, end) -> ends.put(partition, end.offset()));
        return ends;
    }

    private Map<TopicPartition, Long> starts(Admin admin) {
        Map<TopicPartition, Long> starts = new HashMap<>();
        Map<TopicPartition, SharePartitionOffsetInfo> found =
                get(() -> admin.listShareGroupOffsets(Map.of(group, new ListShareGroupOffsetsSpec()))
                        .partitionsToOffsetInfo(group)
                        .get(60, TimeUnit.SECONDS));
        found.forEach((partition, info) -> starts.put(partition, info.startOffset()));
        return starts;
    }

    private interface Asking<T> {
        T ask() throws InterruptedException, ExecutionException, TimeoutException;
    }

    private static <T> T get(Asking<T> asking) {
        try {
            return asking.ask();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    private Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", cluster.bootstrap()));
    }
}
