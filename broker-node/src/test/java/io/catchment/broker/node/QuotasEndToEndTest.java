package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.DeleteTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.ThrottlingQuotaExceededException;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaAlteration.Op;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Quotas and credentials as Kafka's own clients see them, against a whole node. */
class QuotasEndToEndTest {
    private static final long DEADLINE_S = 30;
    private static final String TOPIC = "t";

    @Test
    void quotasHoldWhomTheyNameAndOutliveTheNode(@TempDir Path directory) throws Exception {
        try (LocalNode node = LocalNode.start(directory, Map.of())) {
            try (Admin admin = admin(node, "admin")) {
                get(admin.createTopics(List.of(new NewTopic(TOPIC, 1, (short) 1)))
                        .all());
                get(alter(admin, client("held"), new Op("producer_byte_rate", 1000.0)));
                get(alter(admin, client("held"), new Op("consumer_byte_rate", 1000.0)));
                assertThatThrownBy(() -> get(alter(admin, client("held"), new Op("producer_byte_rate", -1.0))))
                        .hasCauseInstanceOf(InvalidRequestException.class);
                get(admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(
                                "alice", new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), "secret")))
                        .all());
            }
            assertThat(produce(node, "free", 4)).isZero();
            assertThat(produce(node, "held", 4)).isPositive();
            assertThat(node.metric("catchment.quota.throttled")).isPositive();
            assertThat(consume(node, "free")).isZero();
            assertThat(consume(node, "held")).isPositive();

            node.restart();
            try (Admin admin = admin(node, "admin")) {
                assertThat(get(admin.describeClientQuotas(ClientQuotaFilter.all())
                                .entities()))
                        .isEqualTo(Map.of(
                                client("held"), Map.of("producer_byte_rate", 1000.0, "consumer_byte_rate", 1000.0)));
                assertThat(get(admin.describeUserScramCredentials().users())).containsExactly("alice");
            }
            assertThat(produce(node, "held", 4)).isPositive();
        }
    }

    @Test
    void shareConsumersAreHeldToWhatTheyMayFetch(@TempDir Path directory) throws Exception {
        try (LocalNode node = LocalNode.start(directory, Map.of());
                Admin admin = admin(node, "admin")) {
            get(admin.createTopics(List.of(new NewTopic(TOPIC, 1, (short) 1))).all());
            get(alter(admin, client("held"), new Op("consumer_byte_rate", 1000.0)));
            produce(node, "free", 4);
            for (String group : List.of("of the free", "of the held")) {
                ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
                get(admin.incrementalAlterConfigs(Map.of(
                                resource,
                                List.of(new AlterConfigOp(
                                        new ConfigEntry("share.auto.offset.reset", "earliest"),
                                        AlterConfigOp.OpType.SET))))
                        .all());
            }
            assertThat(share(node, "free", "of the free")).isZero();
            assertThat(share(node, "held", "of the held")).isPositive();
        }
    }

    /** The refused one's connection is muted for minutes: everything else goes over others. */
    @Test
    void topicsThatAreTooManyAreRefusedWithAnError(@TempDir Path directory) throws Exception {
        try (LocalNode node = LocalNode.start(directory, Map.of());
                Admin admin = admin(node, "admin");
                Admin creating = admin(node, "held");
                Admin deleting = admin(node, "held")) {
            get(alter(admin, client("held"), new Op("controller_mutation_rate", 0.1)));
            CreateTopicsOptions once = new CreateTopicsOptions().retryOnQuotaViolation(false);
            get(creating.createTopics(List.of(new NewTopic("a", 30, (short) 1)), once)
                    .all());
            assertThatThrownBy(() -> get(creating.createTopics(List.of(new NewTopic("b", 1, (short) 1)), once)
                            .all()))
                    .hasCauseInstanceOf(ThrottlingQuotaExceededException.class);
            assertThatThrownBy(() -> get(
                            deleting.deleteTopics(List.of("a"), new DeleteTopicsOptions().retryOnQuotaViolation(false))
                                    .all()))
                    .hasCauseInstanceOf(ThrottlingQuotaExceededException.class);
            assertThat(get(admin.listTopics().names())).contains("a").doesNotContain("b");
        }
    }

    @Test
    void anAddressThatConnectsTooOftenIsTurnedAway(@TempDir Path directory) throws Exception {
        try (LocalNode node = LocalNode.start(directory, Map.of("quota.window.num", "2"));
                Admin admin = admin(node, "admin")) {
            ClientQuotaEntity here = new ClientQuotaEntity(Map.of(ClientQuotaEntity.IP, "127.0.0.1"));
            get(alter(admin, here, new Op("connection_creation_rate", 2.0)));
            int closed = 0;
            for (int i = 0; i < 20; i++) {
                try (Socket socket = new Socket("127.0.0.1", node.port())) {
                    socket.setSoTimeout(1);
                    socket.getOutputStream().write(0);
                } catch (java.io.IOException e) {
                    closed++;
                }
            }
            assertThat(closed).isZero();
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
            while (turnedAway(node) < 10 && System.nanoTime() < end) {
                Thread.sleep(20);
            }
            assertThat(turnedAway(node)).isGreaterThanOrEqualTo(10);
            get(alter(admin, here, new Op("connection_creation_rate", null)));
        }
    }

    private static double turnedAway(LocalNode node) throws Exception {
        return node.http("/metrics")
                .lines()
                .filter(line -> line.startsWith("catchment_connections_closed_total") && line.contains("throttled"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    /** How long the producer was told to wait, at most. */
    private static double produce(LocalNode node, String clientId, int records) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", node.bootstrap(), "client.id", clientId, "linger.ms", "0"),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            for (int i = 0; i < records; i++) {
                producer.send(new ProducerRecord<>(TOPIC, new byte[4_000])).get(DEADLINE_S, TimeUnit.SECONDS);
            }
            return metric(producer.metrics(), "produce-throttle-time-max");
        }
    }

    private static double consume(LocalNode node, String clientId) {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", node.bootstrap(), "client.id", clientId, "fetch.max.bytes", "5000"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            TopicPartition partition = new TopicPartition(TOPIC, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            int records = 0;
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
            while (records < 4 && System.nanoTime() < end) {
                records += consumer.poll(Duration.ofMillis(100)).count();
            }
            assertThat(records).isGreaterThanOrEqualTo(4);
            return metric(consumer.metrics(), "fetch-throttle-time-max");
        }
    }

    /** Gets each record once; how long it was told to wait, at most. */
    private static double share(LocalNode node, String clientId, String group) {
        try (KafkaShareConsumer<byte[], byte[]> consumer = new KafkaShareConsumer<>(
                Map.of("bootstrap.servers", node.bootstrap(), "client.id", clientId, "group.id", group),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(TOPIC));
            List<Long> offsets = new ArrayList<>();
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
            while (offsets.size() < 4 && System.nanoTime() < end) {
                consumer.poll(Duration.ofMillis(100)).forEach(record -> offsets.add(record.offset()));
            }
            assertThat(offsets).containsExactly(0L, 1L, 2L, 3L);
            return metric(consumer.metrics(), "fetch-throttle-time-max");
        }
    }

    private static double metric(Map<MetricName, ? extends Metric> metrics, String name) {
        return metrics.values().stream()
                .filter(metric -> metric.metricName().name().equals(name))
                .mapToDouble(metric -> (double) metric.metricValue())
                .filter(value -> !Double.isNaN(value))
                .max()
                .orElseThrow();
    }

    private static KafkaFuture<Void> alter(Admin admin, ClientQuotaEntity entity, Op op) {
        return admin.alterClientQuotas(List.of(new ClientQuotaAlteration(entity, List.of(op))))
                .all();
    }

    private static ClientQuotaEntity client(String id) {
        return new ClientQuotaEntity(Collections.singletonMap(ClientQuotaEntity.CLIENT_ID, id));
    }

    private static Admin admin(LocalNode node, String clientId) {
        return Admin.create(Map.of("bootstrap.servers", node.bootstrap(), "client.id", clientId));
    }

    private static <T> T get(KafkaFuture<T> future) throws Exception {
        try {
            return future.get(DEADLINE_S, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e;
        }
    }
}
