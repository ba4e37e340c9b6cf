package io.catchment.broker.rehearsal;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A main program: does to a cluster once what its clients will do, so that the classes this takes are in the archive that later starts
 * map (AppCDS, JEP 350). What fails is skipped: the archive is smaller then, nothing else. Argument: the bootstrap address. Topics stay,
 * so that a second call meets them with other owners.
 */
public final class Rehearsal {
    private static final Logger LOG = LoggerFactory.getLogger(Rehearsal.class);
    private static final Duration STEP = Duration.ofSeconds(8);
    private static final int PARTITIONS = 12;
    private static final int RECORDS = 300;
    private static final String TOPIC = "rehearsal";
    private static final String COMPACTED = "rehearsal-compacted";
    private final String bootstrap;

    private Rehearsal(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    /** Exit code 0, whatever was skipped. */
    public static void main(String[] args) {
        new Rehearsal(args[0]).run();
        // Clients of a cluster that lost a node may take long to close
        System.exit(0);
    }

    private void run() {
        step("topics", this::topics);
        step("produce", this::produce);
        step("consume", () -> consume("classic"));
        step("consume", () -> consume("consumer"));
        step("transaction", this::transaction);
        step("describe", this::describe);
    }

    private static void step(String name, Step step) {
        try {
            step.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            LOG.info("rehearsal: {} was cut short", name, e);
        }
    }

    private void topics() throws Exception {
        try (Admin admin = Admin.create(config(Map.of()))) {
            if (admin.listTopics().names().get().contains(TOPIC)) {
                return;
            }
            admin.createTopics(List.of(
                            new NewTopic(TOPIC, PARTITIONS, (short) -1),
                            new NewTopic(COMPACTED, 1, (short) -1)
                                    .configs(Map.of(
                                            TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT))))
                    .all()
                    .get();
        }
    }

    private void produce() {
        for (String codec : List.of("none", "lz4")) {
            try (var producer = producer(Map.of(ProducerConfig.COMPRESSION_TYPE_CONFIG, codec))) {
                for (int i = 0; i < RECORDS; i++) {
                    byte[] value = Integer.toString(i).getBytes(StandardCharsets.UTF_8);
                    send(producer, new ProducerRecord<>(TOPIC, i % PARTITIONS, value, value));
                    send(producer, new ProducerRecord<>(COMPACTED, 0, new byte[] {(byte) (i % 7)}, value));
                }
                producer.flush();
            }
        }
    }

    private void consume(String protocol) {
        try (var consumer = consumer(Map.of(
                ConsumerConfig.GROUP_PROTOCOL_CONFIG, protocol, ConsumerConfig.GROUP_ID_CONFIG, TOPIC + protocol))) {
            consumer.subscribe(List.of(TOPIC));
            var left = new int[] {RECORDS};
            until(() -> (left[0] -= consumer.poll(Duration.ofMillis(200)).count()) <= 0);
            consumer.commitSync(STEP);
        }
        try (var consumer = consumer(Map.of(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed"))) {
            Collection<TopicPartition> all = List.of(new TopicPartition(TOPIC, 0), new TopicPartition(COMPACTED, 0));
            consumer.assign(all);
            consumer.offsetsForTimes(Map.of(new TopicPartition(TOPIC, 0), 0L), STEP);
            consumer.seekToBeginning(all);
            until(() -> consumer.poll(Duration.ofMillis(200)).isEmpty());
        }
    }

    private void transaction() {
        try (var producer = producer(Map.of(ProducerConfig.TRANSACTIONAL_ID_CONFIG, TOPIC));
                var consumer = consumer(Map.of(ConsumerConfig.GROUP_ID_CONFIG, TOPIC + "transaction"))) {
            producer.initTransactions();
            for (boolean committed : new boolean[] {true, false}) {
                producer.beginTransaction();
                for (int partition = 0; partition < PARTITIONS; partition++) {
                    send(producer, new ProducerRecord<>(TOPIC, partition, null, new byte[100]));
                }
                producer.sendOffsetsToTransaction(
                        Map.of(new TopicPartition(TOPIC, 0), new OffsetAndMetadata(1)), consumer.groupMetadata());
                if (committed) {
                    producer.commitTransaction();
                } else {
                    producer.abortTransaction();
                }
            }
        }
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, ProducerRecord<byte[], byte[]> record) {
        Future<?> unused = producer.send(record);
    }

    private void describe() throws Exception {
        try (Admin admin = Admin.create(config(Map.of()))) {
            admin.describeCluster().nodes().get();
            admin.describeTopics(List.of(TOPIC)).allTopicNames().get();
            admin.listGroups().all().get();
            admin.describeMetadataQuorum().quorumInfo().get();
        }
    }

    private KafkaProducer<byte[], byte[]> producer(Map<String, Object> more) {
        return new KafkaProducer<>(config(more), new ByteArraySerializer(), new ByteArraySerializer());
    }

    private Consumer<byte[], byte[]> consumer(Map<String, Object> more) {
        var all = new HashMap<>(more);
        all.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        all.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        return new KafkaConsumer<>(config(all), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private Map<String, Object> config(Map<String, Object> more) {
        var all = new HashMap<>(more);
        all.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        all.put(CommonClientConfigs.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) STEP.toMillis());
        all.put(CommonClientConfigs.REQUEST_TIMEOUT_MS_CONFIG, (int) STEP.toMillis() / 2);
        all.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, STEP.toMillis());
        all.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) STEP.toMillis());
        return all;
    }

    private static void until(BooleanSupplier done) {
        long deadline = System.nanoTime() + STEP.toNanos();
        while (!done.getAsBoolean() && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
    }

    @FunctionalInterface
    private interface Step {
        void run() throws Exception;
    }
}
