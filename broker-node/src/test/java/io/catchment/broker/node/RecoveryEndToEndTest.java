package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A cluster's bucket becomes another cluster's, while the first one still runs. */
class RecoveryEndToEndTest {
    private static final TopicPartition READINGS = new TopicPartition("readings", 0);

    @TempDir
    private Path directory;

    private Map<String, String> settings() {
        return Map.of(
                "catchment.object.store", directory.resolve("bucket").toUri().toString(),
                "catchment.wal.roll.ms", "200",
                "catchment.wal.hot.bytes", "0",
                "catchment.bucket.check.ms", "200",
                "catchment.state.snapshot.ms", "1000",
                "offsets.topic.num.partitions", "2");
    }

    @Test
    void theNewClusterHasWhatWasPublishedAndTheFormerOneWritesNothingAnyMore() throws Exception {
        try (LocalNode former = LocalNode.start(directory.resolve("former"), settings());
                Admin old = Admin.create(Map.of("bootstrap.servers", former.bootstrap()))) {
            old.createTopics(List.of(
                            new NewTopic("readings", 3, (short) 1).configs(Map.of("retention.ms", "987654321"))))
                    .all()
                    .get(30, TimeUnit.SECONDS);
            produce(former.bootstrap(), 0, 100);
            commit(former.bootstrap(), 60);
            await("all of it is published", () -> published(old, READINGS) == 100 && unflushed(former) == 0);
            // The first snapshot may have been begun before its topic was created, the second was not
            snapshotWith("marker-1", former, old);
            snapshotWith("marker-2", former, old);

            try (LocalNode recovered = LocalNode.recover(directory.resolve("recovered"), settings());
                    Admin now = Admin.create(Map.of("bootstrap.servers", recovered.bootstrap()))) {
                assertThat(read(recovered.bootstrap(), 0, 100)).isEqualTo(values(0, 100));
                ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "readings");
                assertThat(now.describeConfigs(List.of(topic))
                                .all()
                                .get(30, TimeUnit.SECONDS)
                                .get(topic)
                                .get("retention.ms")
                                .value())
                        .isEqualTo("987654321");
                assertThat(now.listConsumerGroupOffsets("group")
                                .partitionsToOffsetAndMetadata()
                                .get(30, TimeUnit.SECONDS)
                                .get(READINGS)
                                .offset())
                        .isEqualTo(60);

                // The former cluster is alive and goes on acknowledging; nothing of that reaches the bucket
                await("it has noticed", () -> former.gauge("catchment.bucket.lost") == 1);
                assertThat(former.http("/readyz"))
                        .contains("object-store-owner")
                        .contains("belongs to cluster");
                Set<String> before = bucket("objects");
                produce(former.bootstrap(), 100, 120);
                TimeUnit.SECONDS.sleep(2);
                assertThat(published(old, READINGS)).isEqualTo(100);
                assertThat(bucket("objects")).isEqualTo(before);

                // And the new one goes its own way from where the published part ended
                produce(recovered.bootstrap(), 500, 550);
                List<String> all = new ArrayList<>(values(0, 100));
                all.addAll(values(500, 550));
                assertThat(read(recovered.bootstrap(), 0, 150)).isEqualTo(all);
                await("it is published", () -> published(now, READINGS) == 150);
                recovered.restart();
                assertThat(read(recovered.bootstrap(), 0, 150)).isEqualTo(all);
                assertThat(recovered.http("/verify-store", "POST")).contains("\"clean\":true");
            }
            assertThatThrownBy(former::restart)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("belongs to cluster")
                    .hasMessageContaining("catchment recover");
        }
    }

    /** Returns when one more snapshot of the state is there, after a change that brings one. */
    private static void snapshotWith(String topic, LocalNode node, Admin admin) throws Exception {
        double before = node.gauge("catchment.state.snapshots.total");
        admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get(30, TimeUnit.SECONDS);
        await("a snapshot of the state", () -> node.gauge("catchment.state.snapshots.total") > before);
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as("waiting until " + what).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    private static double unflushed(LocalNode node) throws Exception {
        return node.gauge("catchment.flush.unflushed.bytes");
    }

    private static long published(Admin admin, TopicPartition partition) throws Exception {
        return 1
                + admin.listOffsets(Map.of(partition, OffsetSpec.latestTiered()))
                        .partitionResult(partition)
                        .get(30, TimeUnit.SECONDS)
                        .offset();
    }

    private Set<String> bucket(String prefix) throws IOException {
        try (Stream<Path> files = Files.walk(directory.resolve("bucket").resolve(prefix))) {
            return files.filter(Files::isRegularFile)
                    .map(Path::toString)
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static List<String> values(int from, int to) {
        List<String> values = new ArrayList<>();
        for (int i = from; i < to; i++) {
            values.add("value-" + i);
        }
        return values;
    }

    private static void produce(String bootstrap, int from, int to) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap), new ByteArraySerializer(), new ByteArraySerializer())) {
            for (String value : values(from, to)) {
                producer.send(new ProducerRecord<>("readings", 0, null, value.getBytes(StandardCharsets.UTF_8)));
            }
            producer.flush();
        }
    }

    private static KafkaConsumer<byte[], byte[]> consumer(String bootstrap) {
        return new KafkaConsumer<>(
                new HashMap<>(
                        Map.of("bootstrap.servers", bootstrap, "group.id", "group", "enable.auto.commit", "false")),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
    }

    private static void commit(String bootstrap, long offset) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(bootstrap)) {
            consumer.assign(List.of(READINGS));
            consumer.commitSync(Map.of(READINGS, new OffsetAndMetadata(offset)));
        }
    }

    private static List<String> read(String bootstrap, long from, int count) {
        List<String> read = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(bootstrap)) {
            consumer.assign(List.of(READINGS));
            consumer.seek(READINGS, from);
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (read.size() < count && System.nanoTime() < deadline) {
                consumer.poll(Duration.ofMillis(200))
                        .forEach(record -> read.add(new String(record.value(), StandardCharsets.UTF_8)));
            }
        }
        return read;
    }
}
