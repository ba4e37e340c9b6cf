package io.catchment.chaos.mirror;

import io.catchment.chaos.cluster.FreePorts;
import io.catchment.chaos.cluster.StockProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Stock MirrorMaker 2 in its dedicated mode, one process for both directions between clusters A and B, exactly once. Owned by the thread
 * that runs the scenario.
 */
final class MirrorMaker implements AutoCloseable {
    /** A poll's records are one transaction, after which the last offset of each partition is certain to be noted for translation. */
    static final int POLL_RECORDS_MAX = 100;

    private static final Pattern FAILURE = Pattern.compile(
            "will not recover until manually restarted|Failed to (start|configure) |Connector has failed|work thread, exiting");

    private final StockProcess process;

    /**
     * One of the two clusters.
     *
     * @param copies of MirrorMaker's own topics and of mirrored ones in it
     * @param topic that is mirrored from it
     */
    record Site(String alias, String bootstrap, int copies, String topic) {}

    MirrorMaker(Path folder, Site one, Site other) throws IOException {
        Map<String, String> settings = new HashMap<>(Map.of(
                "clusters",
                one.alias() + "," + other.alias(),
                "plugin.discovery",
                "service_load",
                "groups",
                ".*" + Readers.GROUP + ".*",
                "tasks.max",
                "2",
                // workers of dedicated mode ask each other for exactly-once, even if there is only one
                "dedicated.mode.enable.internal.rest",
                "true",
                "listeners",
                "http://127.0.0.1:" + FreePorts.pair()));
        settings.putAll(Map.of(
                "offset.lag.max", "0",
                "sync.group.offsets.enabled", "true",
                "sync.topic.acls.enabled", "false",
                "sync.group.offsets.interval.seconds", "1",
                "emit.checkpoints.interval.seconds", "1",
                "emit.heartbeats.interval.seconds", "1",
                "refresh.groups.interval.seconds", "2",
                "refresh.topics.interval.seconds", "2",
                "sync.topic.configs.interval.seconds", "2"));
        worker(one).forEach((key, value) -> settings.put(one.alias() + "." + key, value));
        worker(other).forEach((key, value) -> settings.put(other.alias() + "." + key, value));
        flow(one, other).forEach((key, value) -> settings.put(one.alias() + "->" + other.alias() + "." + key, value));
        flow(other, one).forEach((key, value) -> settings.put(other.alias() + "->" + one.alias() + "." + key, value));
        this.process =
                StockProcess.configured("mirror", "org.apache.kafka.connect.mirror.MirrorMaker", folder, settings);
    }

    /** Of the workers that write to a cluster, and of all clients of it. */
    private static Map<String, String> worker(Site site) {
        String copies = String.valueOf(site.copies());
        Map<String, String> settings = new HashMap<>(Map.of(
                "bootstrap.servers",
                site.bootstrap(),
                "plugin.discovery",
                "service_load",
                "exactly.once.source.support",
                "enabled",
                "consumer.isolation.level",
                "read_committed",
                "consumer.max.poll.records",
                String.valueOf(POLL_RECORDS_MAX),
                "config.storage.replication.factor",
                copies,
                "offset.storage.replication.factor",
                copies,
                "status.storage.replication.factor",
                copies));
        // a killed worker is to be missed in seconds, and its work given away at once: the default is five minutes
        settings.putAll(Map.of(
                "session.timeout.ms", "6000",
                "heartbeat.interval.ms", "1000",
                "rebalance.timeout.ms", "10000",
                "scheduled.rebalance.max.delay.ms", "1000",
                // a worker starts when no transaction of the killed one is open any more, of its tasks or of its own
                "producer.transaction.timeout.ms", "20000",
                "transaction.timeout.ms", "20000"));
        return settings;
    }

    private static Map<String, String> flow(Site source, Site target) {
        String copies = String.valueOf(target.copies());
        return Map.of(
                "enabled",
                "true",
                "topics",
                source.topic(),
                "replication.factor",
                copies,
                "checkpoints.topic.replication.factor",
                copies,
                "heartbeats.topic.replication.factor",
                copies,
                "offset-syncs.topic.replication.factor",
                String.valueOf(source.copies()));
    }

    void start() throws IOException {
        process.start();
    }

    void kill() throws InterruptedException {
        process.kill();
    }

    boolean alive() {
        return process.alive();
    }

    /** Lines of its log that say that a task or a connector has failed for good. */
    List<String> failures() throws IOException {
        try (var lines = Files.lines(process.log())) {
            return lines.filter(line -> FAILURE.matcher(line).find()).toList();
        }
    }

    @Override
    public void close() {
        process.close();
    }
}
