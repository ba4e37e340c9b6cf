package io.catchment.chaos.workload;

import io.catchment.chaos.history.Sightings;
import io.catchment.chaos.history.Stamp;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A consumer without a group that follows all partitions of a topic through whatever happens and keeps what it was given. Reports
 * records that are skipped or come again, positions that go back, and partition ends that go back.
 *
 * <p>Runs on a thread of its own, which owns the consumer.
 */
public final class Tailer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Tailer.class);
    private static final long ENDS_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private final String bootstrap;
    private final String rack;
    private final List<TopicPartition> partitions = new ArrayList<>();
    private final Verdict verdict;
    private final Sightings sightings = new Sightings("the tailer");
    private final Map<TopicPartition, Long> next = new HashMap<>();
    private final Map<TopicPartition, Long> ends = new HashMap<>();
    private final AtomicLong received = new AtomicLong();
    private final AtomicLong receivedBytes = new AtomicLong();
    private volatile Latencies delays = new Latencies();
    private final Thread thread;
    private volatile boolean stop;

    public Tailer(String bootstrap, String topic, int partitions, Verdict verdict) {
        this(bootstrap, topic, partitions, "", verdict);
    }

    /** @param rack the zone it reads in (KIP-392); empty: it does not say */
    public Tailer(String bootstrap, String topic, int partitions, String rack, Verdict verdict) {
        this.bootstrap = bootstrap;
        this.rack = rack;
        this.verdict = verdict;
        for (int partition = 0; partition < partitions; partition++) {
            this.partitions.add(new TopicPartition(topic, partition));
        }
        this.thread = new Thread(this::run, "tailer");
        thread.start();
    }

    private void run() {
        Map<String, Object> config = LogReader.config(bootstrap);
        config.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, 250);
        config.put(ConsumerConfig.CLIENT_RACK_CONFIG, rack);
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(partitions);
            partitions.forEach(partition -> consumer.seek(partition, 0));
            long nextEnds = System.nanoTime() + ENDS_EVERY_NANOS;
            while (!stop) {
                poll(consumer);
                if (System.nanoTime() >= nextEnds) {
                    ends(consumer);
                    nextEnds = System.nanoTime() + ENDS_EVERY_NANOS;
                }
            }
        } catch (RuntimeException e) {
            verdict.violation(Violation.Kind.FAILED, "tailer: " + e);
        }
    }

    private void poll(KafkaConsumer<byte[], byte[]> consumer) {
        var records = consumer.poll(Duration.ofMillis(100));
        for (ConsumerRecord<byte[], byte[]> message : records) {
            var partition = new TopicPartition(message.topic(), message.partition());
            long expected = next.getOrDefault(partition, 0L);
            if (message.offset() != expected) {
                verdict.violation(
                        Violation.Kind.OFFSETS,
                        "tailer: %s went on at %d instead of %d".formatted(partition, message.offset(), expected));
            }
            next.put(partition, message.offset() + 1);
            receivedBytes.addAndGet(message.serializedValueSize());
            delays.addNanos(TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis() - message.timestamp()));
            sightings.seen(message.partition(), message.offset(), Stamp.readFrom(message.headers()));
        }
        received.addAndGet(records.count());
    }

    /** The high watermarks only grow, and no reader is past one. */
    private void ends(KafkaConsumer<byte[], byte[]> consumer) {
        Map<TopicPartition, Long> now;
        try {
            now = consumer.endOffsets(partitions, Duration.ofSeconds(5));
        } catch (RetriableException e) {
            LOG.debug("no ends at the moment: {}", e.toString());
            return;
        }
        now.forEach((partition, end) -> {
            Long before = ends.put(partition, end);
            long least = Math.max(before == null ? 0 : before, next.getOrDefault(partition, 0L));
            if (end < least) {
                verdict.violation(
                        Violation.Kind.OFFSETS,
                        "tailer: the end of %s went back from %d to %d".formatted(partition, least, end));
            }
            if (consumer.position(partition) < next.getOrDefault(partition, 0L)) {
                verdict.violation(
                        Violation.Kind.OFFSETS,
                        "tailer: the position in %s went back from %d to %d"
                                .formatted(partition, next.get(partition), consumer.position(partition)));
            }
        });
    }

    public long received() {
        return received.get();
    }

    /** Of values. */
    public long receivedBytes() {
        return receivedBytes.get();
    }

    /** From a record's own time, given by its producer on this machine, until it was received; to the millisecond. */
    public Latencies delays() {
        return delays;
    }

    /** From now on, without those that it had before. */
    public void measureDelaysAnew() {
        delays = new Latencies();
    }

    /** Complete after {@link #close}. */
    public Sightings sightings() {
        return sightings;
    }

    @Override
    public void close() {
        stop = true;
        try {
            thread.join(TimeUnit.SECONDS.toMillis(30));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            verdict.violation(Violation.Kind.LATE, "tailer did not stop within 30 s");
            thread.interrupt();
        }
    }
}
