package io.catchment.chaos.store;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Updates of a few keys of a compacted topic of one partition, now and then a deletion, and what must be left of them: of each key its last acknowledged update or a
 * later one, never an earlier one, each with the bytes that were sent. A record names its update in a header, so that a deletion does too. Sent by one thread at
 * a time; acknowledgements come on the client's own.
 */
final class KeyedUpdates {
    static final int KEYS = 120;
    static final int VALUE_BYTES = 4096;
    static final Map<String, String> TOPIC_CONFIG =
            Map.of("cleanup.policy", "compact", "min.cleanable.dirty.ratio", "0.1");

    private static final int PER_SECOND = 100;
    private static final int DELETION_EVERY = 11;
    private static final Duration STALL = Duration.ofSeconds(60);
    private static final String HEADER = "update";

    private final String bootstrap;
    private final String topic;
    private final long seed;
    private final Verdict verdict;
    /** The number of the last update of each key, -1 for none; of those acknowledged under its own lock. */
    private final long[] sent = new long[KEYS];

    private final long[] acknowledged = new long[KEYS];
    private long updates;

    KeyedUpdates(String bootstrap, String topic, long seed, Verdict verdict) {
        this.bootstrap = bootstrap;
        this.topic = topic;
        this.seed = seed;
        this.verdict = verdict;
        Arrays.fill(sent, -1);
        Arrays.fill(acknowledged, -1);
    }

    /** At a steady rate; returns when all are acknowledged. */
    void sendUntil(BooleanSupplier stop) {
        Map<String, Object> config = new HashMap<>();
        config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(ProducerConfig.LINGER_MS_CONFIG, 5);
        config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 120_000);
        config.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 15_000);
        config.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 200);
        try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            while (!stop.getAsBoolean()) {
                send(producer);
                LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(1) / PER_SECOND);
            }
        }
    }

    private void send(KafkaProducer<byte[], byte[]> producer) {
        long update = updates++;
        int key = new SplittableRandom(seed * 31 + update).nextInt(KEYS);
        sent[key] = update;
        var message = new ProducerRecord<>(topic, 0, name(key), value(update));
        message.headers().add(HEADER, ByteBuffer.allocate(8).putLong(update).array());
        var unused = producer.send(message, (metadata, failure) -> {
            if (failure == null) {
                synchronized (acknowledged) {
                    acknowledged[key] = Math.max(acknowledged[key], update);
                }
            } else {
                verdict.violation(Violation.Kind.FAILED, "update " + update + " of " + topic + ": " + failure);
            }
        });
    }

    private static byte[] name(int key) {
        return ("key-" + key).getBytes(StandardCharsets.UTF_8);
    }

    /** Null deletes the key. */
    private byte @Nullable [] value(long update) {
        if (update % DELETION_EVERY == DELETION_EVERY - 1) {
            return null;
        }
        byte[] value = new byte[VALUE_BYTES];
        new SplittableRandom(seed + update).nextBytes(value);
        return value;
    }

    // ---- what is left

    /** Reads the topic while nobody writes to it; how many records were there. */
    long check() {
        long[] last = new long[KEYS];
        Arrays.fill(last, -1);
        long[] read = new long[2];
        read(message -> {
            if (message.offset() < read[1]) {
                verdict.violation(Violation.Kind.OFFSETS, message.offset() + " of " + topic + " after " + read[1]);
            }
            read[0]++;
            read[1] = message.offset() + 1;
            look(message, last);
        });
        for (int key = 0; key < KEYS; key++) {
            if (last[key] < acknowledged(key)) {
                verdict.violation(
                        Violation.Kind.LOST,
                        topic + ": the last of key " + key + " is update " + last[key] + ", acknowledged was "
                                + acknowledged(key));
            }
        }
        return read[0];
    }

    private long acknowledged(int key) {
        synchronized (acknowledged) {
            return acknowledged[key];
        }
    }

    private void look(ConsumerRecord<byte[], byte[]> message, long[] last) {
        var header = message.headers().lastHeader(HEADER);
        long update = header == null ? -1 : ByteBuffer.wrap(header.value()).getLong();
        int key = new SplittableRandom(seed * 31 + update).nextInt(KEYS);
        if (update < 0 || update > sent[key] || !Arrays.equals(message.key(), name(key))) {
            verdict.violation(Violation.Kind.INVENTED, topic + " offset " + message.offset() + ": update " + update);
            return;
        }
        if (update <= last[key]) {
            verdict.violation(
                    Violation.Kind.REORDERED,
                    topic + " offset " + message.offset() + ": update " + update + " after " + last[key]);
        }
        if (!Arrays.equals(message.value(), value(update))) {
            verdict.violation(Violation.Kind.CORRUPTED, topic + " offset " + message.offset());
        }
        last[key] = update;
    }

    private interface Taker {
        void take(ConsumerRecord<byte[], byte[]> message);
    }

    private void read(Taker taker) {
        Map<String, Object> config = Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrap,
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                "none",
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
                false);
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            var partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition), STALL).getOrDefault(partition, 0L);
            long progress = System.nanoTime();
            while (consumer.position(partition, STALL) < end) {
                var polled = consumer.poll(Duration.ofMillis(500));
                polled.forEach(taker::take);
                if (!polled.isEmpty()) {
                    progress = System.nanoTime();
                } else if (System.nanoTime() - progress > STALL.toNanos()) {
                    throw new IllegalStateException("no record of " + topic + " for " + STALL.toSeconds() + " s at "
                            + consumer.position(partition) + " of " + end);
                }
            }
        }
    }
}
