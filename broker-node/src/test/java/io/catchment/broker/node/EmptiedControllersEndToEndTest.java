package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The controllers' directories are lost, and somebody starts the cluster as it was instead of recovering it. */
class EmptiedControllersEndToEndTest {
    private static final TopicPartition READINGS = new TopicPartition("readings", 0);

    @TempDir
    private Path directory;

    private Map<String, String> settings(String clusterId) {
        return Map.of(
                "catchment.cluster.id", clusterId,
                "catchment.object.store", bucket().toUri().toString(),
                "catchment.wal.roll.ms", "200",
                "catchment.bucket.check.ms", "200",
                "catchment.state.snapshot.ms", "1000",
                "offsets.topic.num.partitions", "2");
    }

    private Path bucket() {
        return directory.resolve("bucket");
    }

    private Path control() {
        return directory.resolve("first/node/control");
    }

    private Path wal() {
        return directory.resolve("first/node/wal");
    }

    @Test
    void whatFormsAnewTouchesNeitherTheBucketNorTheWalAndTheClusterCanBeRecovered() throws Exception {
        try (LocalNode node = LocalNode.start(directory.resolve("first"), settings("factory"))) {
            createTopic(node);
            produce(node.bootstrap());
            await("an object is there", () -> contents(bucket()).keySet().stream()
                    .anyMatch(name -> name.contains("/objects/")));
            await("all of it is published", () -> node.gauge("catchment.flush.unflushed.bytes") == 0);
            // The first may have been begun before it was published
            awaitSnapshotWith(node, "first-change");
            awaitSnapshotWith(node, "second-change");
            Map<String, String> bucket = new TreeMap<>();
            Map<String, String> wal = new TreeMap<>();
            node.restart(() -> {
                Utils.delete(control().toFile());
                bucket.putAll(contents(bucket()));
                wal.putAll(contents(wal()));
            });
            assertThat(wal.keySet()).as("hot extents").anyMatch(name -> name.contains("extent-"));

            await("it says so", () -> node.http("/readyz").contains("catchment recover"));
            assertThat(node.http("/readyz"))
                    .contains("another history of cluster factory")
                    .contains("catchment recover");
            // Longer than the look at the bucket, the first snapshot and the look at the extents take
            TimeUnit.SECONDS.sleep(3);
            assertThat(contents(bucket())).isEqualTo(bucket);
            assertThat(contents(wal())).isEqualTo(wal);
            node.restart();
            assertThat(node.http("/readyz")).as("at the next start too").contains("catchment recover");
        }
        try (LocalNode recovered = LocalNode.recover(directory.resolve("second"), settings("factory-2"))) {
            assertThat(read(recovered.bootstrap())).isEqualTo(values());
        }
    }

    @Test
    void aWalWithoutItsControllersIsKeptThoughTheBucketIsEmptyAndOneThatIsEmptiedTooIsUsed() throws Exception {
        try (LocalNode node = LocalNode.start(directory.resolve("first"), settings("factory"))) {
            createTopic(node);
            produce(node.bootstrap());
            Map<String, String> wal = new TreeMap<>();
            node.restart(() -> {
                Utils.delete(control().toFile());
                Utils.delete(bucket().toFile());
                wal.putAll(contents(wal()));
            });
            await("it says so", () -> node.http("/readyz").contains("the WAL directory"));
            TimeUnit.SECONDS.sleep(3);
            assertThat(contents(wal())).isEqualTo(wal);

            node.restart(() -> {
                Utils.delete(control().toFile());
                Utils.delete(bucket().toFile());
                Utils.delete(wal().toFile());
            });
            createTopic(node);
            produce(node.bootstrap());
            assertThat(read(node.bootstrap())).isEqualTo(values());
        }
    }

    /** One of three that is wiped has the history of the others; three that are emptied have a new one, whoever forms it. */
    @Test
    void oneOfThreeControllersJoinsTheOthersAndThreeThatLostEverythingAreNoOwnersAgain() throws Exception {
        List<Map<String, String>> three = LocalCluster.three(settings("factory"));
        List<LocalNode> nodes = LocalCluster.startAll(directory, three, List.of(1, 2, 3));
        createTopic(nodes.get(0));
        produce(nodes.get(0).bootstrap());
        await("all of it is published", () -> {
            double unflushed = 0;
            for (LocalNode node : nodes) {
                unflushed += node.gauge("catchment.flush.unflushed.bytes");
            }
            return unflushed == 0;
        });
        nodes.get(2).close();
        Utils.delete(directory.resolve("3").toFile());
        nodes.set(2, LocalCluster.startAll(directory, three, List.of(3)).get(0));
        await("the wiped one is ready", () -> nodes.get(2).http("/readyz").contains("\"ready\":true"));
        assertThat(read(nodes.get(2).bootstrap())).isEqualTo(values());

        LocalCluster.closeAll(nodes);
        Map<String, String> bucket = contents(bucket());
        Map<String, String> wal = new TreeMap<>();
        for (int id = 1; id <= 3; id++) {
            Utils.delete(directory.resolve(id + "/node/control").toFile());
            wal.putAll(contents(directory.resolve(id + "/node/wal")));
        }
        List<LocalNode> anew = LocalCluster.startAll(directory, three, List.of(1, 2, 3));
        for (LocalNode node : anew) {
            assertThat(node.http("/readyz")).contains("another history of cluster factory");
        }
        TimeUnit.SECONDS.sleep(3);
        LocalCluster.closeAll(anew);
        assertThat(contents(bucket())).isEqualTo(bucket);
        for (int id = 1; id <= 3; id++) {
            wal.entrySet()
                    .removeAll(contents(directory.resolve(id + "/node/wal")).entrySet());
        }
        assertThat(wal).as("files that are gone or changed").isEmpty();
    }

    private void awaitSnapshotWith(LocalNode node, String change) throws Exception {
        Set<String> before = contents(bucket().resolve("state")).keySet();
        createTopic(node, change);
        await(
                "a snapshot is there",
                () -> !before.containsAll(contents(bucket().resolve("state")).keySet()));
    }

    private static void createTopic(LocalNode node) throws Exception {
        createTopic(node, READINGS.topic());
    }

    private static void createTopic(LocalNode node, String name) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", node.bootstrap()))) {
            admin.createTopics(List.of(new NewTopic(name, 1, (short) 1))).all().get(30, TimeUnit.SECONDS);
        }
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as("waiting until " + what).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(200);
        }
    }

    private static long crc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return crc.getValue();
    }

    /** Of each file, what tells its bytes. */
    private static Map<String, String> contents(Path of) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(of)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                contents.put(file.toString(), file.toFile().length() + " bytes, CRC " + crc(Files.readAllBytes(file)));
            }
        }
        return contents;
    }

    private static List<String> values() {
        return IntStream.range(0, 100).mapToObj(i -> "value-" + i).toList();
    }

    private static void produce(String bootstrap) {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap), new StringSerializer(), new StringSerializer())) {
            values().forEach(value -> producer.send(new ProducerRecord<>("readings", 0, null, value)));
            producer.flush();
        }
    }

    private static List<String> read(String bootstrap) {
        List<String> read = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrap), new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(READINGS));
            consumer.seekToBeginning(List.of(READINGS));
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (read.size() < 100 && System.nanoTime() < deadline) {
                consumer.poll(Duration.ofMillis(200)).forEach(record -> read.add(record.value()));
            }
        }
        return read;
    }
}
