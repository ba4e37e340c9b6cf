package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What goes from the beginning of partitions, as stock clients see it: before the flush, after it, and after a restart. */
class RetentionEndToEndTest {
    private static final long LONG_AGO_MS = 1_000_000;

    @TempDir
    private Path directory;

    private LocalNode node;
    private Admin admin;

    @BeforeEach
    void start() throws Exception {
        node = LocalNode.start(
                directory,
                Map.of(
                        "catchment.wal.roll.ms", "500",
                        "catchment.wal.hot.bytes", "0",
                        "catchment.tail.cache.bytes", "10000",
                        "log.retention.check.interval.ms", "300"));
        admin = Admin.create(Map.of("bootstrap.servers", node.bootstrap()));
    }

    @AfterEach
    void stop() throws Exception {
        admin.close(Duration.ZERO);
        node.close();
    }

    @Test
    void recordsAreDeletedBeforeTheyArePublishedAndAfter() throws Exception {
        create("t", Map.of("retention.ms", "-1"));
        produce("t", 0, 100);
        assertThat(delete("t", 0, 37)).isEqualTo(37);
        assertThat(delete("t", 0, 12)).as("never back").isEqualTo(37);
        assertThat(earliest("t")).isEqualTo(37);
        assertThat(read("t", 37, 100)).hasSize(63).first().satisfies(record -> assertThat(record.offset())
                .isEqualTo(37));
        assertThatThrownBy(() -> read("t", 36, 100)).isInstanceOf(OffsetOutOfRangeException.class);

        await("it is published", () -> offset("t", OffsetSpec.latestTiered()) == 99);
        assertThat(read("t", 37, 100)).hasSize(63);
        assertThat(delete("t", 0, 60)).isEqualTo(60);
        produce("t", 100, 150);
        node.restart();
        assertThat(earliest("t")).isEqualTo(60);
        List<ConsumerRecord<byte[], byte[]>> left = read("t", 60, 150);
        assertThat(left).hasSize(90);
        assertThat(left).allSatisfy(record -> assertThat(record.value()[0]).isEqualTo((byte) record.offset()));

        assertThat(delete("t", 0, -1)).as("all of it").isEqualTo(150);
        assertThat(earliest("t")).isEqualTo(150);
        node.restart();
        assertThat(offset("t", OffsetSpec.latest())).isEqualTo(150);
        produce("t", 150, 160);
        assertThat(read("t", 150, 160)).hasSize(10);
        assertThat(offset("t", OffsetSpec.forTimestamp(0))).isEqualTo(150);
    }

    @Test
    void whatCannotBeDeletedIsRefusedAsInKafka() throws Exception {
        create("t", Map.of());
        create("compacted", Map.of("cleanup.policy", "compact"));
        produce("t", 0, 10);
        assertThatThrownBy(() -> delete("t", 0, 11))
                .isInstanceOf(org.apache.kafka.common.errors.OffsetOutOfRangeException.class);
        assertThatThrownBy(() -> delete("compacted", 0, 0)).isInstanceOf(PolicyViolationException.class);
        admin.createTopics(List.of(new NewTopic("__consumer_offsets", 1, (short) 1)))
                .all()
                .get(30, TimeUnit.SECONDS);
        assertThatThrownBy(() -> delete("__consumer_offsets", 0, 0)).isInstanceOf(InvalidTopicException.class);
        assertThat(earliest("t")).isZero();
    }

    @Test
    void retentionLetsGoWhatIsPublishedAndTooOldOrTooMuch() throws Exception {
        create("brief", Map.of("retention.ms", "1500"));
        create("kept", Map.of("retention.ms", "3600000"));
        create("event", Map.of("retention.ms", "3600000", "catchment.retention.time.source", "event"));
        create("small", Map.of("retention.ms", "-1", "retention.bytes", "1"));
        for (String topic : List.of("brief", "kept", "event", "small")) {
            produce(topic, 0, 20);
        }
        for (String topic : List.of("brief", "event")) {
            await(topic + " goes", () -> earliest(topic) == 20);
            assertThat(offset(topic, OffsetSpec.latest())).isEqualTo(20);
        }
        // By size something always stays
        assertThat(earliest("small")).isZero();
        produce("small", 20, 40);
        await("the first part of it goes", () -> earliest("small") >= 20);
        assertThat(read("small", 20, 40)).hasSize(20);
        assertThat(earliest("kept")).as("old records that have just arrived").isZero();
        assertThat(read("kept", 0, 20)).hasSize(20);
    }

    private void create(String topic, Map<String, String> configs) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1).configs(configs)))
                .all()
                .get(30, TimeUnit.SECONDS);
    }

    /** Values tell their offset, if the topic is used by this alone; event times are of long ago. */
    private void produce(String topic, int from, int to) throws Exception {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", node.bootstrap());
        config.put("batch.size", 400);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = from; i < to; i++) {
                byte[] value = new byte[100];
                value[0] = (byte) i;
                sent.add(producer.send(new ProducerRecord<>(topic, 0, LONG_AGO_MS + i, null, value)));
            }
            for (Future<RecordMetadata> each : sent) {
                each.get(30, TimeUnit.SECONDS);
            }
        }
    }

    private List<ConsumerRecord<byte[], byte[]>> read(String topic, long from, long to) {
        Map<String, Object> config = Map.of("bootstrap.servers", node.bootstrap(), "auto.offset.reset", "none");
        KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        try {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seek(partition, from);
            List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (consumer.position(partition) < to) {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
                assertThat(System.nanoTime()).as("read in time").isLessThan(deadline);
            }
            return records;
        } finally {
            consumer.close(CloseOptions.timeout(Duration.ZERO));
        }
    }

    private long delete(String topic, int partition, long before) throws Exception {
        TopicPartition which = new TopicPartition(topic, partition);
        try {
            return admin.deleteRecords(Map.of(which, RecordsToDelete.beforeOffset(before)))
                    .lowWatermarks()
                    .get(which)
                    .get(30, TimeUnit.SECONDS)
                    .lowWatermark();
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
    }

    private long earliest(String topic) throws Exception {
        return offset(topic, OffsetSpec.earliest());
    }

    private long offset(String topic, OffsetSpec spec) throws Exception {
        TopicPartition partition = new TopicPartition(topic, 0);
        return admin.listOffsets(Map.of(partition, spec))
                .partitionResult(partition)
                .get(30, TimeUnit.SECONDS)
                .offset();
    }

    private static void await(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.call()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }
}
