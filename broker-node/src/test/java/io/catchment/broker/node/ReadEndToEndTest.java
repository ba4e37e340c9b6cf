package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.broker.config.NodeConfig;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Stock consumers against a node that keeps almost nothing in its tail and no flushed extents: what they read comes from
 * objects, extents and the tail.
 */
class ReadEndToEndTest {
    private static final String TOPIC = "readings";
    private static final int PARTITIONS = 3;
    private static final int RECORDS = 6_000;
    private static final long SEED = 20261123;
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    @TempDir
    private static Path directory;

    private static Node node;
    private static String bootstrap = "";
    /** What was produced, by partition, in offset order: the model. */
    private static final Map<Integer, List<Written>> MODEL = new ConcurrentHashMap<>();

    private record Written(long timestamp, byte[] value) {}

    @BeforeAll
    static void startAndFill() throws Exception {
        int port = freePort();
        bootstrap = "127.0.0.1:" + port;
        Map<String, String> properties = new HashMap<>();
        properties.put("node.id", "1");
        properties.put("listeners", "PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + freePort());
        properties.put("catchment.dir", directory.resolve("node").toString());
        properties.put(
                "catchment.object.store", directory.resolve("objects").toUri().toString());
        properties.put("catchment.http.port", "0");
        properties.put("catchment.wal.extent.bytes", "1048576");
        properties.put("catchment.wal.roll.ms", "1000");
        properties.put("catchment.wal.hot.bytes", "0");
        properties.put("catchment.wal.reserve.bytes", "0");
        properties.put("catchment.tail.cache.bytes", "100000");
        properties.put("catchment.block.cache.bytes", "8388608");
        node = new Node(NodeConfig.of(properties), cause -> {
            throw new AssertionError(cause);
        });
        node.start();
        try (Admin admin = admin()) {
            admin.createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, (short) 1)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
            fill("lz4", 0, RECORDS / 2);
            await(
                    "the first half is published and gone from the extents",
                    () -> published(admin, RECORDS / 2 / PARTITIONS));
            fill("none", RECORDS / 2, RECORDS);
        }
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static boolean published(Admin admin, long count) throws Exception {
        for (ListOffsetsResultInfo info : list(admin, OffsetSpec.latestTiered()).values()) {
            if (info.offset() < count - 1) {
                return false;
            }
        }
        return true;
    }

    private static void fill(String compression, int from, int to) throws Exception {
        Map<String, Object> config = Map.of(
                "bootstrap.servers",
                bootstrap,
                "acks",
                "all",
                "compression.type",
                compression,
                "batch.size",
                4_000,
                "linger.ms",
                5);
        Random random = new Random(SEED + from);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = from; i < to; i++) {
                int partition = i % PARTITIONS;
                byte[] value = new byte[100 + random.nextInt(400)];
                random.nextBytes(value);
                long timestamp = 1_000_000 + i * 10L + random.nextInt(2_000) - 1_000;
                sent.add(producer.send(new ProducerRecord<>(
                        TOPIC, partition, timestamp, ("key-" + i).getBytes(StandardCharsets.UTF_8), value)));
                List<Written> log = MODEL.computeIfAbsent(partition, p -> new ArrayList<>());
                log.add(new Written(timestamp, value));
            }
            for (Future<RecordMetadata> future : sent) {
                future.get(30, TimeUnit.SECONDS);
            }
        }
    }

    private static Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", bootstrap));
    }

    private static Map<TopicPartition, ListOffsetsResultInfo> list(Admin admin, OffsetSpec spec) throws Exception {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        partitions().forEach(partition -> asked.put(partition, spec));
        return admin.listOffsets(asked).all().get(30, TimeUnit.SECONDS);
    }

    private static List<TopicPartition> partitions() {
        List<TopicPartition> partitions = new ArrayList<>();
        for (int i = 0; i < PARTITIONS; i++) {
            partitions.add(new TopicPartition(TOPIC, i));
        }
        return partitions;
    }

    private static KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> more) {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", bootstrap);
        // Closing a consumer waits for its fetch under way
        config.put("fetch.max.wait.ms", 50);
        config.putAll(more);
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static List<Written> log(int partition) {
        return MODEL.getOrDefault(partition, List.of());
    }

    private static void await(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError(what + ": not within " + DEADLINE);
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    /** Polls until as many records came as the model has from the positions on, and compares each. */
    private static void readsTheModel(KafkaConsumer<byte[], byte[]> consumer) {
        Map<TopicPartition, Long> next = new HashMap<>();
        consumer.assignment().forEach(partition -> next.put(partition, consumer.position(partition)));
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        Predicate<TopicPartition> unread = partition ->
                next.getOrDefault(partition, 0L) < log(partition.partition()).size();
        while (next.keySet().stream().anyMatch(unread)) {
            assertThat(System.nanoTime()).as("still to come: " + next).isLessThan(deadline);
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) {
                TopicPartition partition = new TopicPartition(record.topic(), record.partition());
                assertThat(record.offset()).isEqualTo(next.get(partition));
                Written written = log(record.partition()).get((int) record.offset());
                assertThat(record.value()).isEqualTo(written.value());
                assertThat(record.timestamp()).isEqualTo(written.timestamp());
                next.put(partition, record.offset() + 1);
            }
        }
    }

    // ---- tests

    @Test
    void everythingIsReadFromTheBeginningInOrderAcrossTheLevels() {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of())) {
            consumer.assign(partitions());
            consumer.seekToBeginning(partitions());
            readsTheModel(consumer);
        }
    }

    @Test
    void everythingIsReadThroughSmallFetches() {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(
                Map.of("fetch.max.bytes", 6_000, "max.partition.fetch.bytes", 3_000, "max.poll.records", 50))) {
            consumer.assign(partitions());
            consumer.seekToBeginning(partitions());
            readsTheModel(consumer);
        }
    }

    @Test
    void readingMayBeginAtAnyOffset() {
        Random random = new Random(SEED);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of("isolation.level", "read_committed"))) {
            consumer.assign(partitions());
            for (int i = 0; i < 10; i++) {
                for (TopicPartition partition : partitions()) {
                    int size = log(partition.partition()).size();
                    consumer.seek(partition, size - 1 - random.nextInt(size));
                }
                readsTheModel(consumer);
            }
        }
    }

    @Test
    void aWaitingConsumerGetsTheNextRecord() throws Exception {
        TopicPartition partition = new TopicPartition("waiting", 0);
        // Fetches that wait longer than the test has patience: only an answer before their time passes
        KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of("fetch.max.wait.ms", 20_000));
        try (Admin admin = admin();
                KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                        Map.of("bootstrap.servers", bootstrap), new ByteArraySerializer(), new ByteArraySerializer())) {
            admin.createTopics(List.of(new NewTopic("waiting", 1, (short) 1)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
            consumer.assign(List.of(partition));
            consumer.seekToEnd(List.of(partition));
            assertThat(consumer.poll(Duration.ofMillis(500))).isEmpty();
            for (int i = 0; i < 5; i++) {
                producer.send(new ProducerRecord<>("waiting", 0, null, new byte[] {(byte) i}))
                        .get(10, TimeUnit.SECONDS);
                long started = System.nanoTime();
                List<ConsumerRecord<byte[], byte[]>> got =
                        consumer.poll(Duration.ofSeconds(15)).records(partition);
                assertThat(got).hasSize(1);
                assertThat(got.get(0).value()).isEqualTo(new byte[] {(byte) i});
                assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(10));
            }
        } finally {
            // A close with time waits for the fetch under way
            consumer.close(CloseOptions.timeout(Duration.ZERO));
        }
    }

    @Test
    void beginningsAndEndsAreTheModels() {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of())) {
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions());
            Map<TopicPartition, Long> beginnings = consumer.beginningOffsets(partitions());
            for (TopicPartition partition : partitions()) {
                assertThat(ends.get(partition))
                        .isEqualTo(log(partition.partition()).size());
                assertThat(beginnings.get(partition)).isZero();
            }
        }
    }

    @Test
    void offsetsForTimesAreTheFirstInOffsetOrder() {
        Random random = new Random(SEED);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of())) {
            for (int i = 0; i < 25; i++) {
                long time = 998_000 + random.nextInt(RECORDS * 10 + 6_000);
                Map<TopicPartition, Long> asked = new HashMap<>();
                partitions().forEach(partition -> asked.put(partition, time));
                Map<TopicPartition, OffsetAndTimestamp> found = consumer.offsetsForTimes(asked);
                for (TopicPartition partition : partitions()) {
                    List<Written> log = log(partition.partition());
                    int expected = 0;
                    while (expected < log.size() && log.get(expected).timestamp() < time) {
                        expected++;
                    }
                    OffsetAndTimestamp answer = found.get(partition);
                    if (expected == log.size()) {
                        assertThat(answer).as(partition + " at " + time).isNull();
                    } else {
                        assertThat(answer).as(partition + " at " + time).isNotNull();
                        assertThat(answer.offset())
                                .as(partition + " at " + time)
                                .isEqualTo(expected);
                        assertThat(answer.timestamp())
                                .isEqualTo(log.get(expected).timestamp());
                    }
                }
            }
        }
    }

    @Test
    void theLatestTimestampAndTheLevelsAreTold() throws Exception {
        try (Admin admin = admin()) {
            Map<TopicPartition, ListOffsetsResultInfo> latest = list(admin, OffsetSpec.maxTimestamp());
            Map<TopicPartition, ListOffsetsResultInfo> tiered = list(admin, OffsetSpec.latestTiered());
            for (TopicPartition partition : partitions()) {
                List<Written> log = log(partition.partition());
                int expected = 0;
                for (int i = 1; i < log.size(); i++) {
                    if (log.get(i).timestamp() > log.get(expected).timestamp()) {
                        expected = i;
                    }
                }
                ListOffsetsResultInfo found = latest.get(partition);
                assertThat(found).isNotNull();
                assertThat(found.offset()).isEqualTo(expected);
                assertThat(found.timestamp()).isEqualTo(log.get(expected).timestamp());
                assertThat(tiered.get(partition)).isNotNull();
                assertThat(tiered.get(partition).offset()).isGreaterThanOrEqualTo(RECORDS / 2 / PARTITIONS - 1);
            }
        }
    }

    @Test
    void anOffsetOutOfRangeFollowsTheResetPolicy() {
        TopicPartition partition = new TopicPartition(TOPIC, 0);
        for (String policy : List.of("earliest", "latest", "none")) {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of("auto.offset.reset", policy))) {
                consumer.assign(List.of(partition));
                consumer.seek(partition, 1_000_000_000L);
                if (policy.equals("none")) {
                    assertThatThrownBy(() -> consumer.poll(Duration.ofSeconds(10)))
                            .isInstanceOf(OffsetOutOfRangeException.class);
                } else if (policy.equals("earliest")) {
                    assertThat(consumer.poll(Duration.ofSeconds(10))
                                    .records(partition)
                                    .get(0)
                                    .offset())
                            .isZero();
                } else {
                    consumer.poll(Duration.ofSeconds(1));
                    assertThat(consumer.position(partition)).isEqualTo(log(0).size());
                }
            }
        }
    }
}
