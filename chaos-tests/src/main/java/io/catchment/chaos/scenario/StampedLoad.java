package io.catchment.chaos.scenario;

import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.StampedProducer;
import java.time.Duration;
import java.util.Map;

/** Our own producer, on a thread of its own. */
final class StampedLoad implements Load {
    private final StampedProducer producer;
    private final AckLog acks;
    private final Thread thread;

    StampedLoad(
            String bootstrap,
            String topic,
            int partitions,
            long records,
            int valueBytes,
            long seed,
            AckLog acks,
            Verdict verdict) {
        this.acks = acks;
        this.producer = new StampedProducer(bootstrap, topic, partitions, valueBytes, 0, seed, acks, verdict);
        this.thread = new Thread(
                () -> {
                    try {
                        producer.send(records);
                    } catch (RuntimeException e) {
                        verdict.violation(Violation.Kind.FAILED, "producer: " + e);
                    }
                },
                "load");
        thread.start();
    }

    @Override
    public long acknowledged() {
        return acks.count();
    }

    @Override
    public boolean running() {
        return thread.isAlive();
    }

    @Override
    public void join(Duration limit) {
        try {
            thread.join(limit.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            throw new IllegalStateException(
                    "load not done within " + limit + ": " + acks.count() + " records acknowledged");
        }
    }

    @Override
    public void collect() {
        // acknowledgements are in the log already
    }

    @Override
    public Map<Integer, Long> sentByProducer() {
        return Map.of(0, producer.sentCount());
    }

    @Override
    public void close() {
        producer.close();
    }
}
