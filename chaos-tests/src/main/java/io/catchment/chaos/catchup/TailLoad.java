package io.catchment.chaos.catchup;

import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.StampedProducer;

/** A producer at a steady rate, on a thread of its own, until it is told to finish. */
final class TailLoad implements AutoCloseable {
    private final StampedProducer producer;
    private final AckLog acks = new AckLog();
    private final Verdict verdict;
    private final Thread thread;
    private volatile boolean stop;

    TailLoad(String bootstrap, String topic, Catchup.Plan plan, Verdict verdict) {
        this.verdict = verdict;
        this.producer = new StampedProducer(
                bootstrap, topic, plan.partitions(), plan.valueBytes(), 0, plan.seed(), acks, verdict);
        int perSecond = (int) (plan.tailMb() * 1e6 / plan.valueBytes());
        this.thread = new Thread(() -> producer.sendAtRate(perSecond, () -> stop), "tail-load");
        thread.start();
    }

    /** Ends it; everything sent must have been acknowledged. */
    void finish() {
        close();
        if (acks.count() != producer.sentCount()) {
            verdict.violation(
                    Violation.Kind.FAILED,
                    acks.count() + " of " + producer.sentCount() + " sends at the tail were acknowledged");
        }
    }

    @Override
    public void close() {
        stop = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        producer.close();
    }
}
