package io.catchment.chaos.nodes;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One clerk, on a thread of its own: takes orders, books each as two entries that add up to nothing, and marks the orders as done, all in one
 * transaction. Some transactions it aborts on purpose (their entries say so), and now and then another producer takes over its identity
 * while it has a transaction open, and it writes on as a zombie.
 */
final class BankMover extends Thread {
    private static final Logger LOG = LoggerFactory.getLogger(BankMover.class);
    private static final Duration POLL = Duration.ofMillis(200);

    private final String bootstrap;
    private final Bank.Names names;
    private final String identity;
    private final SplittableRandom random;
    private final AtomicLong committed = new AtomicLong();
    private final AtomicLong aborted = new AtomicLong();
    private final AtomicLong zombies = new AtomicLong();
    private volatile boolean stopped;

    BankMover(String bootstrap, Bank.Names names, String identity, long seed) {
        super(identity);
        setDaemon(true);
        this.bootstrap = bootstrap;
        this.names = names;
        this.identity = identity;
        this.random = new SplittableRandom(seed);
    }

    long committed() {
        return committed.get();
    }

    long aborted() {
        return aborted.get();
    }

    long zombies() {
        return zombies.get();
    }

    void end() throws InterruptedException {
        stopped = true;
        join(60_000);
    }

    @Override
    public void run() {
        while (!stopped) {
            try (var consumer = consumer()) {
                consumer.subscribe(List.of(names.orders()));
                serve(consumer);
            } catch (KafkaException e) {
                LOG.info("{} begins anew: {}", identity, e.toString());
            }
        }
    }

    /** As long as its identity is its own. */
    private void serve(KafkaConsumer<String, String> consumer) {
        try (var producer = producer()) {
            producer.initTransactions();
            while (!stopped) {
                ConsumerRecords<String, String> orders = consumer.poll(POLL);
                if (!orders.isEmpty() && !book(producer, consumer, orders)) {
                    rewind(consumer);
                }
            }
        }
    }

    /** False when nothing of it counts. */
    private boolean book(
            KafkaProducer<String, String> producer,
            KafkaConsumer<String, String> consumer,
            ConsumerRecords<String, String> orders) {
        boolean dropped = random.nextInt(5) == 0;
        producer.beginTransaction();
        Map<TopicPartition, OffsetAndMetadata> done = new HashMap<>();
        for (ConsumerRecord<String, String> order : orders) {
            enter(producer, order, 1, dropped);
            enter(producer, order, -1, dropped);
            done.put(new TopicPartition(order.topic(), order.partition()), new OffsetAndMetadata(order.offset() + 1));
        }
        producer.sendOffsetsToTransaction(done, consumer.groupMetadata());
        if (dropped) {
            producer.flush();
            if (random.nextInt(4) == 0) {
                becomeZombie(producer, orders.iterator().next());
            }
            producer.abortTransaction();
            aborted.incrementAndGet();
            return false;
        }
        producer.commitTransaction();
        committed.incrementAndGet();
        return true;
    }

    private void enter(
            KafkaProducer<String, String> producer, ConsumerRecord<String, String> order, int sign, boolean bad) {
        int account = random.nextInt(names.accounts());
        var unused = producer.send(new ProducerRecord<>(
                names.ledger(),
                account % names.partitions(),
                "account-" + account,
                Entry.text(order.value(), sign * (1 + order.offset() % 97), bad)));
    }

    /** Its successor takes over and is gone; what it sends from here on must not count. Ends with an exception, as it should. */
    private void becomeZombie(KafkaProducer<String, String> producer, ConsumerRecord<String, String> order) {
        zombies.incrementAndGet();
        try (var successor = producer()) {
            successor.initTransactions();
        }
        enter(producer, order, 1, true);
        producer.flush();
    }

    private void rewind(KafkaConsumer<String, String> consumer) {
        Map<TopicPartition, OffsetAndMetadata> committedOffsets = consumer.committed(consumer.assignment());
        for (TopicPartition partition : consumer.assignment()) {
            OffsetAndMetadata offset = committedOffsets.get(partition);
            consumer.seek(partition, offset == null ? 0 : offset.offset());
        }
    }

    private KafkaProducer<String, String> producer() {
        return new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        bootstrap,
                        "transactional.id",
                        identity,
                        "transaction.timeout.ms",
                        "10000",
                        "linger.ms",
                        "0"),
                new StringSerializer(),
                new StringSerializer());
    }

    private KafkaConsumer<String, String> consumer() {
        return new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers", bootstrap,
                        "group.id", names.group(),
                        "isolation.level", "read_committed",
                        "enable.auto.commit", "false",
                        "auto.offset.reset", "earliest",
                        "max.poll.records", "5",
                        "session.timeout.ms", "10000"),
                new StringDeserializer(),
                new StringDeserializer());
    }

    /** One leg of a booking. */
    record Entry(String order, long amount, boolean bad) {
        static String text(String order, long amount, boolean bad) {
            return order + ":" + amount + ":" + (bad ? "bad" : "good");
        }

        static Entry of(String text) {
            String[] parts = text.split(":", -1);
            return new Entry(parts[0], Long.parseLong(parts[1]), parts[2].equals("bad"));
        }
    }
}
