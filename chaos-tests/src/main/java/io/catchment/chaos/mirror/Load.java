package io.catchment.chaos.mirror;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.time.Duration;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Records at a steady rate into one topic, from a thread of its own until closed. */
final class Load implements AutoCloseable {
    private static final int RUN_LENGTH = 4; // records in a row to one partition, so that batches hold several

    private final String bootstrap;
    private final String topic;
    private final int perSecond;
    private final long seed;
    private final Sent sent;
    private final Verdict verdict;
    private final Thread thread;
    private volatile int partitions;
    private volatile boolean closed;

    Load(String bootstrap, String topic, int partitions, int perSecond, long seed, Sent sent, Verdict verdict) {
        this.bootstrap = bootstrap;
        this.topic = topic;
        this.partitions = partitions;
        this.perSecond = perSecond;
        this.seed = seed;
        this.sent = sent;
        this.verdict = verdict;
        this.thread = new Thread(this::run, "load-" + topic);
        thread.start();
    }

    /** From now on to so many. */
    void spread(int more) {
        partitions = more;
    }

    private void run() {
        Map<String, Object> config = Map.of(
                "bootstrap.servers", bootstrap,
                "acks", "all",
                "linger.ms", 5,
                "request.timeout.ms", 15_000,
                "metadata.max.age.ms", 2_000, // a partition more is to be known soon
                "reconnect.backoff.max.ms", 200);
        var random = new SplittableRandom(seed);
        try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            long began = System.nanoTime();
            int partition = 0;
            for (long number = 0; !closed; number++) {
                long due = began + number * 1_000_000_000L / perSecond;
                for (long wait = due - System.nanoTime(); wait > 0 && !closed; wait = due - System.nanoTime()) {
                    LockSupport.parkNanos(Math.min(wait, 10_000_000));
                }
                if (number % RUN_LENGTH == 0) {
                    partition = random.nextInt(partitions);
                }
                long one = number;
                var unused = producer.send(Content.of(topic, partition, number), (metadata, failure) -> {
                    if (failure == null) {
                        sent.acknowledged(metadata.partition(), metadata.offset(), one);
                    } else {
                        verdict.violation(
                                Violation.Kind.FAILED, "send of record %d to %s: %s".formatted(one, topic, failure));
                    }
                });
            }
            producer.flush();
            producer.close(Duration.ofSeconds(10));
        }
    }

    /** Returns when all that was sent is answered. */
    @Override
    public void close() {
        closed = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
