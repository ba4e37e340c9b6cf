package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many small flushes become few objects, and readers find everything in them: by offset and by time, also after a restart. */
class MergeEndToEndTest {
    private static final String TOPIC = "readings";
    private static final int PARTITIONS = 4;
    private static final int ROUNDS = 30;
    private static final int PER_ROUND = 40;

    @TempDir
    private Path directory;

    @Test
    void whatIsMergedIsReadAsItWasWritten() throws Exception {
        Map<String, String> settings = Map.of(
                "catchment.wal.roll.ms", "200",
                "catchment.wal.hot.bytes", "0",
                "catchment.tail.cache.bytes", "10000",
                "catchment.merge.fan.in", "4",
                "catchment.merge.look.ms", "300");
        try (LocalNode node = LocalNode.start(directory, settings);
                Admin admin = Admin.create(Map.of("bootstrap.servers", node.bootstrap()))) {
            admin.createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, (short) 1)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
            List<List<byte[]>> model = new ArrayList<>();
            for (int i = 0; i < PARTITIONS; i++) {
                model.add(new ArrayList<>());
            }
            produce(node.bootstrap(), model);
            TopicPartition first = new TopicPartition(TOPIC, 0);
            long end = model.get(0).size();
            await(
                    "all is published",
                    () -> admin.listOffsets(Map.of(first, OffsetSpec.latestTiered()))
                                    .partitionResult(first)
                                    .get(30, TimeUnit.SECONDS)
                                    .offset()
                            == end - 1);
            // Those that were merged are kept for a minute, for readers under way: the catalog does not tell here, the
            // metric does
            await("much is merged", () -> merged(node) >= ROUNDS);
            check(node.bootstrap(), model);
            node.restart();
            check(node.bootstrap(), model);
            assertThat(objects()).isPositive();
        }
    }

    private static void produce(String bootstrap, List<List<byte[]>> model) throws Exception {
        Random random = new Random(5);
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap, "batch.size", 2_000),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            for (int round = 0; round < ROUNDS; round++) {
                List<Future<RecordMetadata>> sent = new ArrayList<>();
                for (int i = 0; i < PER_ROUND; i++) {
                    int partition = i % PARTITIONS;
                    byte[] value = new byte[50 + random.nextInt(500)];
                    random.nextBytes(value);
                    long time = 1_000 + model.get(partition).size();
                    model.get(partition).add(value);
                    sent.add(producer.send(new ProducerRecord<>(TOPIC, partition, time, null, value)));
                }
                for (Future<RecordMetadata> each : sent) {
                    each.get(30, TimeUnit.SECONDS);
                }
                TimeUnit.MILLISECONDS.sleep(250);
            }
        }
    }

    private static void check(String bootstrap, List<List<byte[]>> model) {
        KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrap, "auto.offset.reset", "none"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
        try {
            for (int partition = 0; partition < PARTITIONS; partition++) {
                TopicPartition which = new TopicPartition(TOPIC, partition);
                List<byte[]> values = model.get(partition);
                for (long time : List.of(1_000L, 1_007L, 1_000L + values.size() / 2, 999L + values.size())) {
                    assertThat(consumer.offsetsForTimes(Map.of(which, time))
                                    .get(which)
                                    .offset())
                            .isEqualTo(time - 1_000);
                }
                for (int from : List.of(0, 1, values.size() / 2, values.size() - 1)) {
                    consumer.assign(List.of(which));
                    consumer.seek(which, from);
                    int next = from;
                    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
                    while (next < values.size()) {
                        assertThat(System.nanoTime()).as("read in time").isLessThan(deadline);
                        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                            assertThat(record.offset()).isEqualTo(next);
                            assertThat(record.value()).isEqualTo(values.get(next));
                            assertThat(record.timestamp()).isEqualTo(1_000 + next);
                            next++;
                        }
                    }
                }
            }
        } finally {
            consumer.close(CloseOptions.timeout(Duration.ZERO));
        }
    }

    private static double merged(LocalNode node) throws Exception {
        return node.metric("catchment.merge.ranges");
    }

    private long objects() throws IOException {
        try (Stream<Path> files = Files.walk(directory.resolve("objects"))) {
            return files.filter(Files::isRegularFile).count();
        }
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }
}
