package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.InitProducerIdRequest;
import org.apache.kafka.common.requests.InitProducerIdResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The administrative APIs as Kafka's own clients see them, against a whole node. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AdminEndToEndTest {
    private static final long DEADLINE_S = 30;

    private LocalNode node;
    private Admin admin;

    @BeforeAll
    void start(@TempDir Path directory) throws Exception {
        node = LocalNode.start(directory, Map.of("num.partitions", "2", "log.retention.hours", "3"));
        admin = Admin.create(Map.of("bootstrap.servers", node.bootstrap()));
    }

    @AfterAll
    void stop() {
        if (admin != null) {
            admin.close(Duration.ofSeconds(5));
        }
        if (node != null) {
            node.close();
        }
    }

    @Test
    void topicsAreCreatedDescribedAndDeleted() throws Exception {
        CreateTopicsResult created = admin.createTopics(
                List.of(new NewTopic("life.of-a_topic", 3, (short) 3).configs(Map.of("catchment.priority", "urgent"))));
        Uuid id = get(created.topicId("life.of-a_topic"));
        assertThat(get(created.numPartitions("life.of-a_topic"))).isEqualTo(3);
        assertThat(get(created.config("life.of-a_topic"))
                        .get("catchment.priority")
                        .value())
                .isEqualTo("urgent");

        TopicDescription description = describe("life.of-a_topic");
        assertThat(description.topicId()).isEqualTo(id);
        assertThat(description.isInternal()).isFalse();
        assertThat(description.partitions()).hasSize(3).allSatisfy(partition -> {
            assertThat(partition.leader().id()).isEqualTo(1);
            assertThat(partition.replicas()).hasSize(1);
            assertThat(partition.isr()).hasSize(1);
        });
        assertThat(get(admin.listTopics().names())).contains("life.of-a_topic");
        assertThat(get(admin.describeTopics(TopicCollection.ofTopicIds(List.of(id)))
                        .allTopicIds()))
                .containsKey(id);

        get(admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all());
        assertThat(get(admin.listTopics().names())).doesNotContain("life.of-a_topic");
        assertFails(admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all(), UnknownTopicIdException.class);
        assertFails(admin.deleteTopics(List.of("life.of-a_topic")).all(), UnknownTopicOrPartitionException.class);
        assertFails(
                admin.describeTopics(List.of("life.of-a_topic")).allTopicNames(),
                UnknownTopicOrPartitionException.class);
    }

    @Test
    void whatIsWrongIsToldByKafkasErrors() throws Exception {
        create("taken", 1);
        assertFails(
                admin.createTopics(List.of(new NewTopic("taken", 1, (short) 1))).all(), TopicExistsException.class);
        assertFails(
                admin.createTopics(List.of(new NewTopic("no way", 1, (short) 1)))
                        .all(),
                InvalidTopicException.class);
        assertFails(
                admin.createTopics(List.of(new NewTopic("none", 0, (short) 1))).all(),
                InvalidPartitionsException.class);
        assertFails(
                admin.createTopics(List.of(new NewTopic("bad", 1, (short) 1).configs(Map.of("retention.ms", "soon"))))
                        .all(),
                InvalidConfigurationException.class);
        get(admin.createTopics(
                        List.of(new NewTopic("only-checked", 1, (short) 1)),
                        new CreateTopicsOptions().validateOnly(true))
                .all());
        assertThat(get(admin.listTopics().names())).doesNotContain("only-checked", "bad", "none");
    }

    @Test
    void ownersCanBeAssignedByHand() throws Exception {
        get(admin.createTopics(List.of(new NewTopic("by-hand", Map.of(0, List.of(1), 1, List.of(1)))))
                .all());
        assertThat(describe("by-hand").partitions())
                .extracting(partition -> partition.leader().id())
                .containsExactly(1, 1);
    }

    @Test
    void partitionsAreAddedAndServe() throws Exception {
        create("grows", 1);
        get(admin.createPartitions(Map.of("grows", NewPartitions.increaseTo(4))).all());

        assertThat(describe("grows").partitions())
                .extracting(TopicPartitionInfo::partition)
                .containsExactly(0, 1, 2, 3);
        assertFails(
                admin.createPartitions(Map.of("grows", NewPartitions.increaseTo(2)))
                        .all(),
                InvalidPartitionsException.class);
        try (KafkaProducer<String, String> producer = producer(Map.of())) {
            producer.send(new ProducerRecord<>("grows", 3, "k", "in the new one"))
                    .get(DEADLINE_S, TimeUnit.SECONDS);
        }
        assertThat(read(new TopicPartition("grows", 3))).isEqualTo("in the new one");
    }

    @Test
    void topicConfigsAreDescribedAndAltered() throws Exception {
        create("configured", 1);
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "configured");
        ConfigEntry inherited = config(topic).get("retention.ms");
        assertThat(inherited.value()).isEqualTo("10800000");
        assertThat(inherited.source()).isEqualTo(ConfigEntry.ConfigSource.STATIC_BROKER_CONFIG);

        alter(topic, OpType.SET, "retention.ms", "777");
        alter(topic, OpType.APPEND, "cleanup.policy", "compact");
        Config altered = config(topic);
        assertThat(altered.get("retention.ms").value()).isEqualTo("777");
        assertThat(altered.get("retention.ms").source()).isEqualTo(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG);
        assertThat(altered.get("cleanup.policy").value()).isEqualTo("delete,compact");
        alter(topic, OpType.DELETE, "retention.ms", "");
        assertThat(config(topic).get("retention.ms").value()).isEqualTo("10800000");
        assertThatThrownBy(() -> alter(topic, OpType.SET, "retention.ms", "soon"))
                .hasCauseInstanceOf(InvalidConfigurationException.class);
    }

    @Test
    void theNodesConfigIsReadOnly() throws Exception {
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
        Config config = config(broker);
        assertThat(config.get("num.partitions").value()).isEqualTo("2");
        assertThat(config.entries())
                .allSatisfy(entry -> assertThat(entry.isReadOnly()).isTrue());
        assertThatThrownBy(() -> alter(broker, OpType.SET, "num.partitions", "3"))
                .hasCauseInstanceOf(InvalidRequestException.class);
    }

    @Test
    void groupConfigsAreDescribedAndAltered() throws Exception {
        ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, "some-group");
        assertThat(config(group).get("consumer.session.timeout.ms").value()).isEqualTo("45000");
        alter(group, OpType.SET, "consumer.session.timeout.ms", "50000");
        assertThat(config(group).get("consumer.session.timeout.ms").value()).isEqualTo("50000");
    }

    @Test
    void theClusterIsDescribed() throws Exception {
        DescribeClusterResult cluster = admin.describeCluster();

        assertThat(get(cluster.nodes())).hasSize(1).allSatisfy(broker -> {
            assertThat(broker.id()).isEqualTo(1);
            assertThat(broker.port()).isEqualTo(node.port());
        });
        assertThat(get(cluster.controller()).id()).isEqualTo(1);
        assertThat(get(cluster.clusterId())).isNotEmpty();
    }

    @Test
    void aTopicIsCreatedByProducingToIt() throws Exception {
        try (KafkaProducer<String, String> producer = producer(Map.of())) {
            producer.send(new ProducerRecord<>("of-itself", 1, "k", "hello")).get(DEADLINE_S, TimeUnit.SECONDS);
        }
        assertThat(describe("of-itself").partitions()).hasSize(2);
        assertThat(read(new TopicPartition("of-itself", 1))).isEqualTo("hello");
    }

    @Test
    void aConsumerThatForbidsCreationCreatesNothing() throws Exception {
        try (KafkaConsumer<String, String> consumer = consumer(Map.of("allow.auto.create.topics", "false"))) {
            assertThat(consumer.partitionsFor("never-made", Duration.ofSeconds(5)))
                    .isNullOrEmpty();
        }
        assertThat(get(admin.listTopics().names())).doesNotContain("never-made");
    }

    @Test
    void topicsConfigsAndProducerIdsOutliveARestart() throws Exception {
        create("lasting", 2);
        alter(new ConfigResource(ConfigResource.Type.TOPIC, "lasting"), OpType.SET, "retention.ms", "4711");
        Uuid id = describe("lasting").topicId();
        Set<Long> producerIds = new HashSet<>();
        for (int start = 0; start < 3; start++) {
            for (int i = 0; i < 20; i++) {
                assertThat(producerIds.add(newProducerId())).isTrue();
            }
            node.restart();
        }
        assertThat(describe("lasting").topicId()).isEqualTo(id);
        assertThat(config(new ConfigResource(ConfigResource.Type.TOPIC, "lasting"))
                        .get("retention.ms")
                        .value())
                .isEqualTo("4711");
    }

    private void create(String name, int partitions) throws Exception {
        get(admin.createTopics(List.of(new NewTopic(name, Optional.of(partitions), Optional.empty())))
                .all());
    }

    private TopicDescription describe(String name) throws Exception {
        return get(admin.describeTopics(List.of(name)).topicNameValues().get(name));
    }

    private Config config(ConfigResource resource) throws Exception {
        return get(admin.describeConfigs(List.of(resource)).values().get(resource));
    }

    private void alter(ConfigResource resource, OpType type, String key, String value) throws Exception {
        Collection<AlterConfigOp> operations = List.of(new AlterConfigOp(new ConfigEntry(key, value), type));
        get(admin.incrementalAlterConfigs(Map.of(resource, operations)).all());
    }

    private KafkaProducer<String, String> producer(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("bootstrap.servers", node.bootstrap());
        return new KafkaProducer<>(all, new StringSerializer(), new StringSerializer());
    }

    private KafkaConsumer<String, String> consumer(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("bootstrap.servers", node.bootstrap());
        all.put("auto.offset.reset", "earliest");
        return new KafkaConsumer<>(all, new StringDeserializer(), new StringDeserializer());
    }

    /** The value of the first record. */
    private String read(TopicPartition partition) {
        try (KafkaConsumer<String, String> consumer = consumer(Map.of())) {
            consumer.assign(List.of(partition));
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
            while (System.nanoTime() < deadline) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
                    return record.value();
                }
            }
        }
        throw new AssertionError("Nothing in " + partition);
    }

    /** As an idempotent producer asks for one, but visible. */
    private long newProducerId() throws IOException {
        short version = 5; // the newest stable one
        InitProducerIdRequest request = new InitProducerIdRequest.Builder(
                        new InitProducerIdRequestData().setTransactionalId(null).setTransactionTimeoutMs(60_000))
                .build(version);
        RequestHeader header = new RequestHeader(ApiKeys.INIT_PRODUCER_ID, version, "test", 1);
        try (Socket socket = new Socket("127.0.0.1", node.port())) {
            ByteBuffer bytes = request.serializeWithHeader(header);
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            out.writeInt(bytes.remaining());
            out.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
            out.flush();
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] answer = in.readNBytes(in.readInt());
            InitProducerIdResponse response =
                    (InitProducerIdResponse) AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
            assertThat(Errors.forCode(response.data().errorCode())).isEqualTo(Errors.NONE);
            return response.data().producerId();
        }
    }

    private static <T> T get(KafkaFuture<T> future) throws Exception {
        return future.get(DEADLINE_S, TimeUnit.SECONDS);
    }

    private static void assertFails(KafkaFuture<?> future, Class<? extends Throwable> expected) {
        assertThatThrownBy(() -> future.get(DEADLINE_S, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(expected);
    }
}
