package io.catchment.broker.config;

import java.util.Map;
import java.util.Optional;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.jspecify.annotations.Nullable;

/** Says what is wrong with a key nobody knows, and what was probably meant. */
final class UnknownKeys {
    /** Kafka's keys that have another name or another answer here, by their beginning. */
    private static final Map<String, String> INSTEAD = Map.ofEntries(
            Map.entry("broker.id", "the node's number is node.id"),
            Map.entry("log.dir", "the node's files are in catchment.dir; partitions have no directories"),
            Map.entry("metadata.log.dir", "the node's files are in catchment.dir"),
            Map.entry("num.network.threads", "there is one kind of thread: catchment.event.loops"),
            Map.entry("num.io.threads", "there is one kind of thread: catchment.event.loops"),
            Map.entry("queued.max.requests", "requests are bounded by their bytes: queued.max.request.bytes"),
            Map.entry("controller.quorum.voters", "voters are dynamic: controller.quorum.bootstrap.servers"),
            Map.entry("zookeeper.", "there is no ZooKeeper; see controller.quorum.bootstrap.servers"),
            Map.entry("ssl.", "only PLAINTEXT listeners are there today"),
            Map.entry("sasl.", "only PLAINTEXT listeners are there today"),
            Map.entry("remote.log.", "all data goes to the object store: catchment.object.store"),
            Map.entry("replica.", "partitions are not replicated between brokers; the write-ahead log is"),
            Map.entry("broker.session.timeout.ms", "see node.lease.ms"),
            Map.entry("broker.heartbeat.interval.ms", "see node.heartbeat.ms"));

    private UnknownKeys() {}

    static String describe(String key) {
        Optional<String> instead = INSTEAD.entrySet().stream()
                .filter(entry -> key.startsWith(entry.getKey()))
                .map(Map.Entry::getValue)
                .findFirst();
        if (instead.isPresent()) {
            return key + ": " + instead.get() + ". Remove it";
        }
        if (AbstractKafkaConfig.CONFIG_DEF.configKeys().containsKey(key)) {
            return key + ": this key of Kafka's has no meaning here. Remove it";
        }
        String nearest = nearest(key);
        return key + ": there is no such key" + (nearest == null ? ". Remove it" : ". Did you mean " + nearest + "?");
    }

    private static @Nullable String nearest(String key) {
        String best = null;
        int bestDistance = Math.max(2, key.length() / 3);
        for (String known : NodeKeys.all().names()) {
            int distance = distance(key, known);
            if (distance < bestDistance) {
                best = known;
                bestDistance = distance;
            }
        }
        return best;
    }

    /** Insertions, deletions and replacements of letters that make one out of the other (Levenshtein). */
    static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
