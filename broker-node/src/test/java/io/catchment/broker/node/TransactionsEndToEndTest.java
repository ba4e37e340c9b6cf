package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Stock transactional producers and readers of committed records against a whole node. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TransactionsEndToEndTest {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    @TempDir
    private static Path directory = Path.of("set by JUnit");

    private LocalNode node;
    private Admin admin;

    @BeforeAll
    void start() throws Exception {
        node = LocalNode.start(
                directory,
                Map.of(
                        "offsets.topic.num.partitions", "3",
                        "transaction.state.log.num.partitions", "3",
                        "transaction.abort.timed.out.transaction.cleanup.interval.ms", "200"));
        admin = Admin.create(Map.of("bootstrap.servers", node.bootstrap()));
    }

    @AfterAll
    void stop() {
        admin.close();
        node.close();
    }

    @Test
    void committedRecordsAreSeenAndAbortedOnesAreNot() throws Exception {
        topic("decided", 3);
        try (KafkaProducer<String, String> producer = producer("decided", 60_000)) {
            producer.initTransactions();
            for (int t = 0; t < 20; t++) {
                producer.beginTransaction();
                for (int partition = 0; partition < 3; partition++) {
                    producer.send(new ProducerRecord<>("decided", partition, "k", (t % 2 == 0 ? "good-" : "bad-") + t));
                }
                if (t % 2 == 0) {
                    producer.commitTransaction();
                } else {
                    producer.flush();
                    producer.abortTransaction();
                }
            }
        }
        List<String> committed = read("decided", 3, "read_committed", 30);
        assertThat(committed).hasSize(30).allMatch(value -> value.startsWith("good-"));
        assertThat(read("decided", 3, "read_uncommitted", 60)).hasSize(60);
    }

    @Test
    void nobodySeesWhatIsNotDecided() throws Exception {
        topic("open", 1);
        TopicPartition partition = new TopicPartition("open", 0);
        try (KafkaProducer<String, String> producer = producer("open", 60_000);
                KafkaProducer<String, String> other = plain()) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>("open", 0, "k", "waits")).get();
            other.send(new ProducerRecord<>("open", 0, "k", "behind it")).get();
            assertThat(end(partition, "read_committed")).isZero();
            assertThat(end(partition, "read_uncommitted")).isEqualTo(2);
            ProducerState state =
                    admin
                            .describeProducers(List.of(partition))
                            .partitionResult(partition)
                            .get()
                            .activeProducers()
                            .stream()
                            .filter(each -> each.currentTransactionStartOffset().isPresent())
                            .findFirst()
                            .orElseThrow();
            assertThat(state.currentTransactionStartOffset()).hasValue(0);
            TransactionDescription described = admin.describeTransactions(List.of("open"))
                    .description("open")
                    .get();
            assertThat(described.state()).isEqualTo(TransactionState.ONGOING);
            assertThat(described.topicPartitions()).containsExactly(partition);
            producer.commitTransaction();
            assertThat(read("open", 1, "read_committed", 2)).containsExactly("waits", "behind it");
        }
        Collection<TransactionListing> listed = admin.listTransactions().all().get();
        assertThat(listed)
                .anyMatch(each ->
                        each.transactionalId().equals("open") && each.state() == TransactionState.COMPLETE_COMMIT);
    }

    @Test
    void offsetsCountWithTheTransactionThatSendsThem() throws Exception {
        topic("in", 1);
        topic("out", 1);
        TopicPartition in = new TopicPartition("in", 0);
        Map<String, Object> member = new HashMap<>(clients());
        member.put("group.id", "mover");
        try (KafkaProducer<String, String> producer = producer("mover", 60_000);
                KafkaConsumer<String, String> consumer =
                        new KafkaConsumer<>(member, new StringDeserializer(), new StringDeserializer())) {
            ConsumerGroupMetadata group = consumer.groupMetadata();
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>("out", 0, "k", "dropped"));
            producer.sendOffsetsToTransaction(Map.of(in, new OffsetAndMetadata(5)), group);
            producer.abortTransaction();
            assertThat(committed("mover")).isEmpty();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>("out", 0, "k", "moved"));
            producer.sendOffsetsToTransaction(Map.of(in, new OffsetAndMetadata(7)), group);
            producer.commitTransaction();
        }
        await("the offset counts", () -> committed("mover").equals(Map.of(in, new OffsetAndMetadata(7))));
        assertThat(read("out", 1, "read_committed", 1)).containsExactly("moved");
    }

    @Test
    void aSecondProducerOfTheSameIdShutsOutTheFirst() throws Exception {
        topic("fenced", 1);
        try (KafkaProducer<String, String> zombie = producer("same", 60_000);
                KafkaProducer<String, String> present = producer("same", 60_000)) {
            zombie.initTransactions();
            zombie.beginTransaction();
            zombie.send(new ProducerRecord<>("fenced", 0, "k", "zombie")).get();
            present.initTransactions();
            present.beginTransaction();
            present.send(new ProducerRecord<>("fenced", 0, "k", "present")).get();
            assertThatThrownBy(() -> {
                        zombie.send(new ProducerRecord<>("fenced", 0, "k", "zombie again"));
                        zombie.commitTransaction();
                    })
                    .isInstanceOf(KafkaException.class);
            present.commitTransaction();
        }
        assertThat(read("fenced", 1, "read_committed", 1)).containsExactly("present");
    }

    @Test
    void whatTakesTooLongIsAborted() throws Exception {
        topic("slow", 1);
        TopicPartition partition = new TopicPartition("slow", 0);
        try (KafkaProducer<String, String> producer = producer("slow", 500)) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>("slow", 0, "k", "late")).get();
            await("it is aborted", () -> end(partition, "read_committed") == 2);
            assertThatThrownBy(producer::commitTransaction).isInstanceOf(KafkaException.class);
        }
        assertThat(read("slow", 1, "read_committed", 0)).isEmpty();
    }

    @Test
    void aProducerThatTookTooLongAbortsAndGoesOn() throws Exception {
        topic("late", 1);
        TopicPartition partition = new TopicPartition("late", 0);
        try (KafkaProducer<String, String> producer = producer("late", 1_000)) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>("late", 0, "k", "late")).get();
            await("it is aborted", () -> end(partition, "read_committed") == 2);
            assertThatThrownBy(() -> producer.send(new ProducerRecord<>("late", 0, "k", "too late"))
                            .get())
                    .hasCauseInstanceOf(InvalidProducerEpochException.class);
            producer.abortTransaction();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>("late", 0, "k", "in time"));
            producer.commitTransaction();
        }
        assertThat(read("late", 1, "read_committed", 1)).containsExactly("in time");
    }

    @Test
    void anAdministratorEndsATransactionThatHangs() throws Exception {
        topic("hanging", 1);
        TopicPartition partition = new TopicPartition("hanging", 0);
        try (KafkaProducer<String, String> producer = producer("hanging", 60_000)) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>("hanging", 0, "k", "v")).get();
            ProducerState state = admin.describeProducers(List.of(partition))
                    .partitionResult(partition)
                    .get()
                    .activeProducers()
                    .get(0);
            admin.abortTransaction(
                            new AbortTransactionSpec(partition, state.producerId(), (short) state.producerEpoch(), 0))
                    .all()
                    .get();
            assertThat(end(partition, "read_committed")).isEqualTo(2);
        }
    }

    @Test
    void whatWasOpenAtARestartGoesOnOrIsAborted() throws Exception {
        topic("restarted", 2);
        try (KafkaProducer<String, String> producer = producer("restarted", 60_000)) {
            producer.initTransactions();
            for (int t = 0; t < 3; t++) {
                producer.beginTransaction();
                producer.send(new ProducerRecord<>("restarted", 0, "k", "aborted-" + t))
                        .get();
                producer.send(new ProducerRecord<>("restarted", 1, "k", "aborted-" + t))
                        .get();
                producer.abortTransaction();
            }
            producer.beginTransaction();
            producer.send(new ProducerRecord<>("restarted", 0, "k", "before")).get();
            node.restart();
            producer.send(new ProducerRecord<>("restarted", 0, "k", "after")).get();
            producer.send(new ProducerRecord<>("restarted", 1, "k", "after")).get();
            producer.commitTransaction();
        }
        assertThat(read("restarted", 2, "read_committed", 3)).containsExactlyInAnyOrder("before", "after", "after");
        node.restart();
        assertThat(read("restarted", 2, "read_committed", 3)).containsExactlyInAnyOrder("before", "after", "after");
    }

    // ---- helpers

    private void topic(String name, int partitions) throws Exception {
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1)))
                .all()
                .get();
    }

    private KafkaProducer<String, String> producer(String transactionalId, int timeoutMs) {
        Map<String, Object> config = new HashMap<>(clients());
        config.put("transactional.id", transactionalId);
        config.put("transaction.timeout.ms", timeoutMs);
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    private KafkaProducer<String, String> plain() {
        return new KafkaProducer<>(clients(), new StringSerializer(), new StringSerializer());
    }

    private Map<String, Object> clients() {
        return Map.of("bootstrap.servers", node.bootstrap());
    }

    private long end(TopicPartition partition, String isolation) throws Exception {
        return admin.listOffsets(
                        Map.of(partition, OffsetSpec.latest()),
                        new org.apache.kafka.clients.admin.ListOffsetsOptions(
                                isolation.equals("read_committed")
                                        ? org.apache.kafka.common.IsolationLevel.READ_COMMITTED
                                        : org.apache.kafka.common.IsolationLevel.READ_UNCOMMITTED))
                .partitionResult(partition)
                .get()
                .offset();
    }

    /** Everything up to the end, which takes at least so many records to come. */
    private List<String> read(String topic, int partitions, String isolation, int expected) throws Exception {
        Map<String, Object> config = new HashMap<>(clients());
        config.put("isolation.level", isolation);
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> all = Stream.iterate(0, i -> i + 1)
                    .limit(partitions)
                    .map(i -> new TopicPartition(topic, i))
                    .toList();
            consumer.assign(all);
            consumer.seekToBeginning(all);
            await("the end of " + topic, () -> {
                for (ConsumerRecord<String, String> each : consumer.poll(Duration.ofMillis(100))) {
                    values.add(each.value());
                }
                Map<TopicPartition, Long> ends = consumer.endOffsets(all);
                return values.size() >= expected
                        && all.stream().allMatch(partition -> consumer.position(partition) >= ends.get(partition));
            });
        }
        return values;
    }

    private Map<TopicPartition, OffsetAndMetadata> committed(String group) throws Exception {
        return admin.listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get();
    }

    private static void await(String what, Callable<Boolean> condition) throws Exception {
        long endNanos = System.nanoTime() + DEADLINE.toNanos();
        while (!condition.call()) {
            assertThat(System.nanoTime()).as("deadline for: " + what).isLessThan(endNanos);
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }
}
