package io.catchment.chaos.workload;

import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.AckTimes;
import io.catchment.chaos.history.Stamp;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * An idempotent producer that stamps each record and records each acknowledgement. Values are random bytes from the seed.
 * {@link #send} is called by one thread; acknowledgements arrive on the client's own.
 */
public final class StampedProducer implements AutoCloseable {
    private static final int RUN_LENGTH = 8; // records in a row to one partition, so that batches hold several
    private final KafkaProducer<byte[], byte[]> client;
    private final String topic;
    private final int partitions;
    private final int producer;
    private final AckLog acks;
    private final Verdict verdict;
    private final SplittableRandom random;
    private final byte[] value;
    private final @Nullable AckTimes times;
    private volatile long sent;
    private int partition;

    /** @param producer its number in the history */
    public StampedProducer(
            String bootstrap,
            String topic,
            int partitions,
            int valueBytes,
            int producer,
            long seed,
            AckLog acks,
            Verdict verdict) {
        this(bootstrap, topic, partitions, valueBytes, producer, seed, acks, null, verdict);
    }

    /**
     * One that sends to the partitions in turn, each record on its own, so that {@code times} sees each partition as often as the others,
     * and that asks again quickly: pauses are the cluster's, not the client's.
     */
    public static StampedProducer evenly(
            String bootstrap,
            String topic,
            int valueBytes,
            int producer,
            long seed,
            AckLog acks,
            AckTimes times,
            Verdict verdict) {
        return new StampedProducer(
                bootstrap, topic, times.partitions(), valueBytes, producer, seed, acks, times, verdict);
    }

    private StampedProducer(
            String bootstrap,
            String topic,
            int partitions,
            int valueBytes,
            int producer,
            long seed,
            AckLog acks,
            @Nullable AckTimes times,
            Verdict verdict) {
        this.topic = topic;
        this.partitions = partitions;
        this.producer = producer;
        this.acks = acks;
        this.times = times;
        this.verdict = verdict;
        this.random = new SplittableRandom(seed);
        this.value = new byte[valueBytes];
        random.nextBytes(value);
        Map<String, Object> config = config(bootstrap);
        if (times != null) {
            partition = random.nextInt(partitions);
            config.put(ProducerConfig.LINGER_MS_CONFIG, 1);
            config.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 5_000);
            config.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, 50);
            config.put(ProducerConfig.RETRY_BACKOFF_MAX_MS_CONFIG, 200);
        }
        this.client = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static Map<String, Object> config(String bootstrap) {
        Map<String, Object> config = new HashMap<>();
        config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(ProducerConfig.ACKS_CONFIG, "all");
        config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        config.put(ProducerConfig.LINGER_MS_CONFIG, 5);
        config.put(ProducerConfig.BATCH_SIZE_CONFIG, 64 << 10);
        // A node that is away for a while must cost time, never an error; one that hangs must be seen to
        config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 120_000);
        config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 120_000);
        config.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 15_000);
        config.put(ProducerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 200);
        return config;
    }

    /** Sends that many records as fast as the client takes them, and waits for all answers. */
    public void send(long records) {
        for (long i = 0; i < records; i++) {
            sendOne();
        }
        client.flush();
    }

    /** Sends at a steady rate until told to stop, and waits for all answers. */
    public void sendAtRate(int recordsPerSecond, StopSignal stop) {
        long start = System.nanoTime();
        long count = 0;
        while (!stop.stopped()) {
            long due = start + count * 1_000_000_000L / recordsPerSecond;
            long wait = due - System.nanoTime();
            if (wait > 0) {
                LockSupport.parkNanos(Math.min(wait, 10_000_000));
            } else {
                sendOne();
                count++;
            }
        }
        client.flush();
    }

    private void sendOne() {
        long sequence = sent;
        if (times != null) {
            partition = (partition + 1) % partitions;
        } else if (sequence % RUN_LENGTH == 0) {
            partition = random.nextInt(partitions);
        }
        // a few bytes change per record; the client copies the value before send returns
        int at = random.nextInt(Math.max(1, value.length - Long.BYTES));
        for (int i = at; i < Math.min(value.length, at + Long.BYTES); i++) {
            value[i] = (byte) random.nextInt();
        }
        Stamp stamp = Stamp.of(producer, sequence, value);
        var message = new ProducerRecord<byte[], byte[]>(topic, partition, null, value);
        stamp.writeTo(message.headers());
        sent = sequence + 1;
        var unused = client.send(message, (metadata, exception) -> {
            if (exception == null) {
                acks.acknowledged(metadata.partition(), metadata.offset(), producer, sequence, stamp.crc());
                if (times != null) {
                    times.acknowledged(metadata.partition(), stamp.sentNanos());
                }
            } else {
                verdict.violation(Violation.Kind.FAILED, "send of record " + sequence + ": " + exception);
            }
        });
    }

    /** Records handed to the client so far. */
    public long sentCount() {
        return sent;
    }

    @Override
    public void close() {
        client.close(Duration.ofSeconds(10));
    }

    /** Read by the sending loop before each record. */
    @FunctionalInterface
    public interface StopSignal {
        boolean stopped();
    }
}
