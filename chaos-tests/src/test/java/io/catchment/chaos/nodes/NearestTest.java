package io.catchment.chaos.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** Three nodes in three zones, consumers in each. Replay: -Dchaos.seed=N with the same test. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
class NearestTest {
    @TempDir
    private static Path folder;

    private static CatchmentCluster cluster;

    private final long seed = Long.getLong("chaos.seed", new SplittableRandom().nextInt(1_000_000));
    private final Verdict verdict = new Verdict();

    @BeforeAll
    static void start() {
        cluster = CatchmentCluster.up(
                folder.resolve("cluster"),
                CatchmentCluster.Options.of(3)
                        .with(
                                "",
                                Map.of(
                                        "catchment.wal.extent.bytes",
                                        "4194304",
                                        "replica.selector.class",
                                        Nearest.SELECTOR))
                        .withZones("a", "b", "c"));
    }

    @AfterAll
    static void end() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @BeforeEach
    void allRun() {
        System.out.println("replay with -Dchaos.seed=" + seed);
        cluster.startAll();
    }

    private void run(int kills, int hangs) {
        var shape = new Shape(12, 2, 600, 200, false, seed);
        System.out.println(new Nearest(cluster, new Nearest.Plan(5_000, kills, hangs, 4_000, shape), verdict).run());
        assertThat(verdict.describe()).as("seed " + seed).isEqualTo("clean");
    }

    @Test
    void recordsComeFromTheReadersZoneAndGoOnWhenTheirOwnersAndTheirNearNodeAreKilled() {
        run(1, 0);
    }

    @Test
    void recordsGoOnWhenTheirOwnersAndTheirNearNodeAreSilent() {
        run(0, 1);
    }

    /** By the markers in the log alone: near nodes remember no transactions. */
    @Test
    void recordsOfAbortedTransactionsAreNotSeenInAnyZone() throws Exception {
        String topic = "booked-" + seed;
        try (var admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrap()))) {
            admin.createTopics(List.of(new NewTopic(topic, 6, (short) 1))).all().get(60, TimeUnit.SECONDS);
        }
        Set<String> committed = new TreeSet<>();
        Map<String, CompletableFuture<List<String>>> readers = new TreeMap<>();
        AtomicInteger expected = new AtomicInteger(Integer.MAX_VALUE);
        for (String zone : List.of("a", "b", "c")) {
            readers.put(zone, CompletableFuture.supplyAsync(() -> read(topic, zone, expected)));
        }
        book(topic, committed);
        expected.set(committed.size());
        double near = cluster.metrics().sum("catchment_near_answered_bytes_total");
        readers.forEach((zone, reader) -> assertThat(
                        reader.orTimeout(90, TimeUnit.SECONDS).join())
                .as("zone %s, seed %d", zone, seed)
                .containsExactlyInAnyOrderElementsOf(committed));
        // once more, of what is old
        assertThat(read(topic, "b", expected)).containsExactlyInAnyOrderElementsOf(committed);
        assertThat(cluster.metrics().sum("catchment_near_answered_bytes_total")).isGreaterThan(near);
    }

    private void book(String topic, Set<String> committed) {
        var random = new SplittableRandom(seed);
        Map<String, Object> config =
                Map.of("bootstrap.servers", cluster.bootstrap(), "transactional.id", "booker-" + seed, "linger.ms", 0);
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            producer.initTransactions();
            for (int number = 0; number < 60; number++) {
                boolean aborted = random.nextInt(3) == 0;
                producer.beginTransaction();
                for (int i = 0; i < 4; i++) {
                    String value = number + "." + i;
                    var unused = producer.send(new ProducerRecord<>(topic, random.nextInt(6), null, value));
                    if (!aborted) {
                        committed.add(value);
                    }
                }
                producer.flush();
                if (aborted) {
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                }
            }
        }
    }

    /** Until it has as many as expected, and a little longer. */
    private static List<String> read(String topic, String zone, AtomicInteger expected) {
        List<String> values = new ArrayList<>();
        Map<String, Object> config = Map.of(
                "bootstrap.servers",
                cluster.bootstrap(),
                "client.rack",
                zone,
                "isolation.level",
                "read_committed",
                "auto.offset.reset",
                "earliest");
        try (var consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> all = IntStream.range(0, 6)
                    .mapToObj(p -> new TopicPartition(topic, p))
                    .toList();
            consumer.assign(all);
            consumer.seekToBeginning(all);
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(80);
            int quietPolls = 0;
            while (quietPolls < 5 && System.nanoTime() < deadline) {
                consumer.poll(Duration.ofMillis(200)).forEach(message -> values.add(message.value()));
                quietPolls = values.size() >= expected.get() ? quietPolls + 1 : 0;
            }
        }
        return values;
    }
}
