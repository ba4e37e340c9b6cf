package io.catchment.chaos.compaction;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Rounds of updates of numbered keys: the same records in the same order, at the same offsets, whichever cluster gets them. A value is its round and
 * filling. Single-threaded.
 */
final class Updates {
    /** Event time of the first record; each next one is a millisecond later. */
    static final long FIRST_TIME_MS = 1_700_000_000_000L;

    private final String topic;
    private final int keys;
    private final int partitions;
    private final int valueBytes;
    private final long seed;

    Updates(String topic, int keys, int partitions, int valueBytes, long seed) {
        this.topic = topic;
        this.keys = keys;
        this.partitions = partitions;
        this.valueBytes = valueBytes;
        this.seed = seed;
    }

    /** Which keys a round is about. */
    interface Chosen {
        boolean has(int key);
    }

    /** One record for each chosen key, in an order of the round's own; returns when all are acknowledged. */
    void send(String bootstrap, int round, boolean tombstones, Chosen chosen) {
        SplittableRandom random = new SplittableRandom(seed * 31 + round);
        int offset = random.nextInt(keys);
        int step = stepWithoutCommonFactor(random);
        AtomicReference<Exception> failure = new AtomicReference<>();
        try (var producer =
                new KafkaProducer<>(config(bootstrap), new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int i = 0; i < keys; i++) {
                int key = (int) ((offset + (long) i * step) % keys);
                if (chosen.has(key)) {
                    long timeMs = FIRST_TIME_MS + (long) round * keys + i;
                    byte[] value = tombstones ? null : value(round, random);
                    var unused = producer.send(record(key, timeMs, value), (metadata, failed) -> {
                        if (failed != null) {
                            failure.compareAndSet(null, failed);
                        }
                    });
                }
            }
        }
        Exception failed = failure.get();
        if (failed != null) {
            throw new IllegalStateException("a send failed", failed);
        }
    }

    private ProducerRecord<byte[], byte[]> record(int key, long timeMs, byte @Nullable [] value) {
        byte[] name = ("key-" + key).getBytes(StandardCharsets.UTF_8);
        return new ProducerRecord<>(topic, key % partitions, timeMs, name, value);
    }

    private byte[] value(int round, SplittableRandom random) {
        byte[] value = new byte[Math.max(12, valueBytes)];
        random.nextBytes(value);
        byte[] text = (round + ";").getBytes(StandardCharsets.UTF_8);
        System.arraycopy(text, 0, value, 0, text.length);
        return value;
    }

    static int round(byte[] value) {
        int round = 0;
        for (int i = 0; value[i] != ';'; i++) {
            round = 10 * round + value[i] - '0';
        }
        return round;
    }

    static int key(byte[] name) {
        return Integer.parseInt(new String(name, 4, name.length - 4, StandardCharsets.UTF_8));
    }

    /** So that every key comes once. */
    private int stepWithoutCommonFactor(SplittableRandom random) {
        int step = 1 + random.nextInt(keys);
        while (gcd(step, keys) != 1) {
            step++;
        }
        return step;
    }

    private static int gcd(int a, int b) {
        return b == 0 ? a : gcd(b, a % b);
    }

    private static Map<String, Object> config(String bootstrap) {
        Map<String, Object> config = new HashMap<>();
        config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(ProducerConfig.LINGER_MS_CONFIG, 20);
        config.put(ProducerConfig.BATCH_SIZE_CONFIG, 128 << 10);
        config.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
        return config;
    }
}
