package io.catchment.chaos.nodes;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.AckTimes;
import io.catchment.chaos.history.HistoryChecker;
import io.catchment.chaos.history.Sightings;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.Follower;
import io.catchment.chaos.workload.LogReader;
import io.catchment.chaos.workload.StampedProducer;
import io.catchment.chaos.workload.Tailer;
import io.catchment.chaos.workload.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A steady load on a topic of its own, with readers at its tail, for as long as a scenario goes on; then everything that was recorded is
 * held against the topic. Owned by the thread that runs the scenario.
 */
public final class Exercise implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Exercise.class);
    private static final Duration END = Duration.ofMinutes(3);
    private final Cluster cluster;
    private final Shape shape;
    private final Verdict verdict;
    private final String topic;
    private final AckLog acks = new AckLog();
    private final AckTimes times;
    private final List<StampedProducer> producers = new ArrayList<>();
    private final List<Thread> senders = new ArrayList<>();
    private final List<Follower> followers = new ArrayList<>();
    private final Tailer tailer;
    private final List<Tailer> inZones = new ArrayList<>();
    private volatile boolean stop;

    /** Starts at once. */
    public Exercise(Cluster cluster, String name, Shape shape, Verdict verdict) {
        this(cluster, name, shape, Map.of(), verdict);
    }

    /** The same on a topic with such a configuration. */
    public Exercise(Cluster cluster, String name, Shape shape, Map<String, String> topicConfigs, Verdict verdict) {
        this.cluster = cluster;
        this.shape = shape;
        this.verdict = verdict;
        this.topic = name + "-" + shape.seed();
        String bootstrap = cluster.bootstrap();
        Topics.create(bootstrap, topic, shape.partitions(), topicConfigs);
        this.times = new AckTimes(shape.partitions());
        this.tailer = new Tailer(bootstrap, topic, shape.partitions(), verdict);
        if (shape.groups()) {
            followers.add(new Follower(bootstrap, topic, topic + "-classic", "classic", verdict));
            followers.add(new Follower(bootstrap, topic, topic + "-consumer", "consumer", verdict));
        }
        for (int number = 0; number < shape.producers(); number++) {
            var producer = StampedProducer.evenly(
                    bootstrap, topic, shape.valueBytes(), number, shape.seed() + number, acks, times, verdict);
            producers.add(producer);
            var sender = new Thread(() -> send(producer), "sender-" + number);
            senders.add(sender);
            sender.start();
        }
    }

    private void send(StampedProducer producer) {
        try {
            producer.sendAtRate(Math.max(1, shape.recordsPerSecond() / shape.producers()), () -> stop);
        } catch (RuntimeException e) {
            verdict.violation(Violation.Kind.FAILED, "producer: " + e);
        }
    }

    /** One more tailer, in a zone; it counts as the others do. */
    public Tailer tailIn(String zone) {
        var added = new Tailer(cluster.bootstrap(), topic, shape.partitions(), zone, verdict);
        inZones.add(added);
        return added;
    }

    /** The one that says nothing of a zone. */
    public Tailer tailer() {
        return tailer;
    }

    public String topic() {
        return topic;
    }

    public AckTimes times() {
        return times;
    }

    public AckLog acks() {
        return acks;
    }

    /** Returns when records of every partition are being acknowledged. */
    public void awaitFlow(Duration limit) {
        long quiet = TimeUnit.MILLISECONDS.toNanos((long) (300 + 3 * shape.intervalMs()));
        if (!flows(limit, quiet)) {
            verdict.violation(
                    Violation.Kind.LATE,
                    "a partition has had no acknowledgement for %.1f s".formatted(times.longestSilenceNanos() / 1e9));
            throw new IllegalStateException("the load does not flow: " + verdict.describe());
        }
    }

    private boolean flows(Duration limit, long quiet) {
        return Await.within(limit, Duration.ofMillis(20), () -> times.longestSilenceNanos() < quiet);
    }

    /** Stops the load and waits for its last acknowledgements; the readers stay. */
    public void stopSending() {
        stop = true;
        for (Thread sender : senders) {
            join(sender);
        }
    }

    /** Stops the load, waits for the readers, reads everything back and checks it. All nodes must be up. */
    public void finish() {
        stopSending();
        long sent = producers.stream().mapToLong(StampedProducer::sentCount).sum();
        if (acks.count() != sent) {
            verdict.violation(Violation.Kind.FAILED, acks.count() + " of " + sent + " sends were acknowledged");
        }
        if (!Await.within(END, this::readersAreThere)) {
            verdict.violation(
                    Violation.Kind.LATE,
                    "of %d records the tailer has received %d, those in zones %s, the groups %s"
                            .formatted(
                                    acks.count(),
                                    tailer.received(),
                                    inZones.stream().map(Tailer::received).toList(),
                                    followers.stream().map(Follower::received).toList()));
        }
        tailer.close();
        inZones.forEach(Tailer::close);
        followers.forEach(Follower::finish);
        Map<Integer, Long> sentBy = new HashMap<>();
        for (int number = 0; number < producers.size(); number++) {
            sentBy.put(number, producers.get(number).sentCount());
        }
        var checker = new HistoryChecker(acks, sentBy, sightings(), verdict);
        LogReader.readAll(cluster.bootstrap(), topic, checker);
        followers.forEach(Follower::checkCommits);
        LOG.info(
                "read {} records, {} of them never acknowledged; the tailer had {}",
                checker.readCount(),
                checker.unacknowledgedCount(),
                tailer.received());
    }

    private List<Sightings> sightings() {
        List<Sightings> all = new ArrayList<>();
        all.add(tailer.sightings());
        inZones.forEach(each -> all.add(each.sightings()));
        return all;
    }

    private boolean readersAreThere() {
        return tailer.received() >= acks.count()
                && inZones.stream().allMatch(each -> each.received() >= acks.count())
                && followers.stream().allMatch(follower -> follower.received() >= acks.count());
    }

    private void join(Thread sender) {
        try {
            sender.join(END.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (sender.isAlive()) {
            verdict.violation(Violation.Kind.LATE, sender.getName() + " has not its last acknowledgement");
        }
    }

    /** Leaves the topic. */
    @Override
    public void close() {
        stop = true;
        tailer.close();
        inZones.forEach(Tailer::close);
        followers.forEach(Follower::close);
        producers.forEach(StampedProducer::close);
    }
}
