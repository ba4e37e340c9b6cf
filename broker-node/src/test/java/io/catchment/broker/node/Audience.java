package io.catchment.broker.node;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.GroupProtocol;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.serialization.StringDeserializer;

/** One stock consumer on a thread of its own: polls, remembers, commits. Its counters may be read from any thread. */
final class Audience implements AutoCloseable {
    private final KafkaConsumer<String, String> consumer;
    private final Set<String> heard = ConcurrentHashMap.newKeySet();
    private final AtomicInteger received = new AtomicInteger();
    private final Thread thread;
    private volatile int assigned;
    private volatile boolean closing;

    Audience(String bootstrap, String group, GroupProtocol protocol, Set<String> topics) {
        this(bootstrap, group, protocol, consumer -> consumer.subscribe(topics));
    }

    Audience(String bootstrap, String group, SubscriptionPattern pattern) {
        this(bootstrap, group, GroupProtocol.CONSUMER, consumer -> consumer.subscribe(pattern));
    }

    private Audience(
            String bootstrap,
            String group,
            GroupProtocol protocol,
            Consumer<KafkaConsumer<String, String>> subscription) {
        consumer = new KafkaConsumer<>(config(bootstrap, group, protocol));
        subscription.accept(consumer);
        thread = new Thread(this::run, "audience-of-" + group);
        thread.start();
    }

    static Map<String, Object> config(String bootstrap, String group, GroupProtocol protocol) {
        return Map.of(
                "bootstrap.servers",
                bootstrap,
                "group.id",
                group,
                "group.protocol",
                protocol.name(),
                "auto.offset.reset",
                "earliest",
                "enable.auto.commit",
                "false",
                "key.deserializer",
                StringDeserializer.class,
                "value.deserializer",
                StringDeserializer.class);
    }

    private void run() {
        try (consumer) {
            while (!closing) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
                assigned = consumer.assignment().size();
                for (ConsumerRecord<String, String> record : records) {
                    received.incrementAndGet();
                    heard.add(record.topic() + ":" + record.value());
                }
                if (!records.isEmpty()) {
                    commit();
                }
            }
        }
    }

    /** A commit that falls into a rebalance is made up for by the next one, or by whoever reads on. */
    private void commit() {
        try {
            consumer.commitSync();
        } catch (RebalanceInProgressException e) {
            consumer.poll(Duration.ZERO).forEach(record -> {
                received.incrementAndGet();
                heard.add(record.topic() + ":" + record.value());
            });
        } catch (RetriableException e) {
            commit();
        }
    }

    int assigned() {
        return assigned;
    }

    Set<String> heard() {
        return heard;
    }

    int duplicates() {
        return received.get() - heard.size();
    }

    @Override
    public void close() {
        closing = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
