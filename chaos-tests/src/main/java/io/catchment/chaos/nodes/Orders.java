package io.catchment.chaos.nodes;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Orders random articles at an even rate, and knows how many of each were taken: the reference. A thread of its own. */
final class Orders implements AutoCloseable {
    static final String TOPIC = "orders";
    static final int ARTICLES = 50;

    private final Map<String, AtomicLong> taken = new ConcurrentHashMap<>();
    private final Verdict verdict;
    private final Thread thread;
    private volatile boolean ended;

    Orders(String bootstrap, int perSecond, long seed, Verdict verdict) {
        this.verdict = verdict;
        this.thread = new Thread(() -> order(bootstrap, perSecond, new SplittableRandom(seed)), "orders");
        thread.start();
    }

    Map<String, AtomicLong> taken() {
        return taken;
    }

    long sum() {
        return taken.values().stream().mapToLong(AtomicLong::get).sum();
    }

    private void order(String bootstrap, int perSecond, SplittableRandom random) {
        Map<String, Object> config = Map.of(
                "bootstrap.servers", bootstrap,
                "client.id", "orders",
                "acks", "all",
                "enable.idempotence", "true",
                "linger.ms", "5",
                "delivery.timeout.ms", "300000",
                "request.timeout.ms", "5000");
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            long start = System.nanoTime();
            for (long i = 0; !ended; i++) {
                String article = "article-" + random.nextInt(ARTICLES);
                var unused = producer.send(new ProducerRecord<>(TOPIC, "order-" + i, article), (at, failure) -> {
                    if (failure == null) {
                        taken.computeIfAbsent(article, name -> new AtomicLong()).incrementAndGet();
                    } else {
                        verdict.violation(Violation.Kind.FAILED, "an order was not taken: " + failure);
                    }
                });
                long due = start + (i + 1) * 1_000_000_000L / perSecond;
                while (System.nanoTime() < due) {
                    LockSupport.parkNanos(due - System.nanoTime());
                }
            }
            producer.flush();
        }
    }

    /** Returns when all orders are taken or have failed. */
    @Override
    public void close() {
        ended = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
