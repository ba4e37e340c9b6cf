package io.catchment.chaos.catchup;

import io.catchment.chaos.bench.Contender;
import io.catchment.chaos.bench.PageCache;
import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.cluster.Commands;
import io.catchment.chaos.cluster.OtherMachine;
import io.catchment.chaos.cluster.RawStoreRead;
import io.catchment.chaos.history.AckLog;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.Follower;
import io.catchment.chaos.workload.Latencies;
import io.catchment.chaos.workload.StampedProducer;
import io.catchment.chaos.workload.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A backlog is read from its beginning, cold, by several consumers in a process of their own, while others produce at a steady rate and follow at the
 * tail: those must not notice, and the backlog must come about as fast as the store gives it. Everything read is checked.
 */
final class Catchup {
    private static final Logger LOG = LoggerFactory.getLogger(Catchup.class);
    private static final Duration READ_LIMIT = Duration.ofMinutes(60);
    private static final int WARM_UP_PART = 20;
    private static final long RECORDS_PER_PRODUCER = 2_000_000;
    /** What the node lets readers that catch up have of its transfers. */
    private static final int RAW_PLACES = 6;

    /**
     * @param nice of the readers: in the field they are on other machines
     * @param warmUp of the tail, before the quiet time
     */
    record Plan(
            long bytes,
            int valueBytes,
            int partitions,
            int readers,
            int nice,
            double tailMb,
            Duration warmUp,
            Duration quiet,
            long seed) {}

    /** What came of some work, and how the tail and the node were meanwhile. */
    private record Measured<T>(T value, Latencies tail, double seconds, double nodeCpuSeconds) {
        CatchupFigures.Tail tailFigures() {
            return new CatchupFigures.Tail(tail.percentileMs(0.5), tail.percentileMs(0.99));
        }
    }

    private final Cluster cluster;
    private final Contender contender;
    private final @Nullable String storeUri;
    private final Plan plan;
    private final Verdict verdict;

    /** @param storeUri null for a server without an object store */
    Catchup(Cluster cluster, @Nullable String storeUri, Plan plan, Verdict verdict) {
        this.cluster = cluster;
        this.contender = new Contender(cluster);
        this.storeUri = storeUri;
        this.plan = plan;
        this.verdict = verdict;
    }

    CatchupFigures run() throws Exception {
        String topic = "backlog-" + plan.seed;
        long records = plan.bytes / plan.valueBytes;
        fill(topic + "-warm", records / WARM_UP_PART);
        fill(topic, records);
        boolean dropped = contender.cool();
        readBacklog(topic + "-warm", records / WARM_UP_PART);
        String tail = "tail-" + plan.seed;
        Topics.create(contender.bootstrap(), tail, plan.partitions);
        try (var follower = new Follower(contender.bootstrap(), tail, tail + "-group", "classic", verdict);
                var load = new TailLoad(contender.bootstrap(), tail, plan, verdict);
                var watch = new NodeWatch(cluster.pid(cluster.nodes().get(0)))) {
            sleep(plan.warmUp);
            Measured<Boolean> quiet = during("quiet", follower, () -> sleep(plan.quiet));
            CatchupFigures.Raw raw = raw(follower);
            dropped &= PageCache.drop();
            Measured<BacklogRead> read = during("catching up", follower, () -> readBacklog(topic, records));
            load.finish();
            return figures(quiet, raw, read, watch.residentMbMax(), dropped);
        }
    }

    private CatchupFigures.Raw raw(Follower follower) throws Exception {
        String uri = storeUri;
        if (uri == null) {
            return CatchupFigures.Raw.NONE;
        }
        PageCache.drop();
        Measured<RawStoreRead> raw =
                during("raw read", follower, () -> RawStoreRead.run(uri, plan.bytes / 2, RAW_PLACES, nice()));
        return new CatchupFigures.Raw(
                raw.value.mbPerSecond(), raw.value.cpuSeconds() / (raw.value.bytes() / 1e9), raw.tailFigures());
    }

    private static CatchupFigures figures(
            Measured<Boolean> quiet,
            CatchupFigures.Raw raw,
            Measured<BacklogRead> read,
            double residentMb,
            boolean dropped) {
        double gigabytes = read.value.bytes() / 1e9;
        double quietCores = quiet.nodeCpuSeconds / quiet.seconds;
        return new CatchupFigures(
                quiet.tailFigures(),
                raw,
                read.tailFigures(),
                read.value.mbPerSecond(),
                quietCores,
                (read.nodeCpuSeconds - quietCores * read.seconds) / gigabytes,
                read.value.cpuSeconds() / gigabytes,
                residentMb,
                dropped);
    }

    private <T> Measured<T> during(String what, Follower follower, Callable<T> work) throws Exception {
        follower.resetLatencies();
        double cpu = contender.cpuSeconds();
        long start = System.nanoTime();
        T value = work.call();
        double seconds = (System.nanoTime() - start) / 1e9;
        var measured = new Measured<>(value, follower.resetLatencies(), seconds, contender.cpuSeconds() - cpu);
        LOG.info("{}: {}; tail: {}", what, value, measured.tail.describe());
        return measured;
    }

    /** By one producer after the other: what each was acknowledged is kept in memory until it is done. */
    private void fill(String topic, long records) {
        Topics.create(contender.bootstrap(), topic, plan.partitions);
        long start = System.nanoTime();
        int number = 0;
        for (long left = records; left > 0; left -= RECORDS_PER_PRODUCER) {
            var acks = new AckLog();
            long some = Math.min(left, RECORDS_PER_PRODUCER);
            try (var producer = new StampedProducer(
                    contender.bootstrap(),
                    topic,
                    plan.partitions,
                    plan.valueBytes,
                    number,
                    plan.seed + number,
                    acks,
                    verdict)) {
                producer.send(some);
            }
            if (acks.count() != some) {
                verdict.violation(Violation.Kind.FAILED, acks.count() + " of " + some + " sends were acknowledged");
            }
            number++;
        }
        LOG.info("{} records written in {} s", records, TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start));
    }

    private BacklogRead readBacklog(String topic, long records) {
        List<String> command = new ArrayList<>(nice());
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseParallelGC",
                "-Dlogback.configurationFile=io/catchment/chaos/logback.xml",
                "-cp",
                System.getProperty("java.class.path"),
                "io.catchment.chaos.ChaosCommand",
                "backlog-read",
                "--bootstrap",
                contender.bootstrap(),
                "--topic",
                topic,
                "--partitions",
                String.valueOf(plan.partitions),
                "--readers",
                String.valueOf(plan.readers)));
        String output = Commands.run(READ_LIMIT, Map.of(), command);
        BacklogRead read = BacklogRead.parse(output);
        if (read.violations() > 0) {
            verdict.violation(Violation.Kind.OFFSETS, output);
        }
        if (read.records() != records) {
            verdict.violation(
                    Violation.Kind.LOST, read.records() + " of " + records + " records of " + topic + " came");
        }
        return read;
    }

    private List<String> nice() {
        return OtherMachine.command(plan.nice);
    }

    private static Boolean sleep(Duration time) throws InterruptedException {
        Thread.sleep(time.toMillis());
        return true;
    }
}
