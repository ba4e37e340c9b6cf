package io.catchment.chaos.workload;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** What the one member of a group has committed, for certain or perhaps: offsets only grow. Guarded by its own lock. */
final class Commits {
    private final String group;
    private final Map<TopicPartition, Long> acknowledged = new HashMap<>();
    private final Map<TopicPartition, Long> attempted = new HashMap<>();
    /** Of which nobody knows whether they were written, or will be: a request may lie in a socket of a node that hangs. */
    private final Map<TopicPartition, Set<Long>> unknown = new HashMap<>();

    Commits(String group) {
        this.group = group;
    }

    synchronized void attempt(Map<TopicPartition, OffsetAndMetadata> offsets) {
        offsets.forEach((partition, offset) -> attempted.put(partition, offset.offset()));
    }

    synchronized void acknowledge(Map<TopicPartition, OffsetAndMetadata> offsets) {
        offsets.forEach((partition, offset) -> acknowledged.put(partition, offset.offset()));
    }

    synchronized void lose(Map<TopicPartition, OffsetAndMetadata> offsets) {
        offsets.forEach((partition, offset) ->
                unknown.computeIfAbsent(partition, any -> new HashSet<>()).add(offset.offset()));
    }

    synchronized Map<TopicPartition, Long> acknowledged() {
        return Map.copyOf(acknowledged);
    }

    /** While the member commits: of these partitions the group has what was acknowledged last, or an attempt of unknown fate. */
    synchronized void checkSome(Map<TopicPartition, OffsetAndMetadata> now, Set<TopicPartition> of, Verdict verdict) {
        of.forEach(partition -> {
            OffsetAndMetadata found = now.get(partition);
            if (found == null || !unknown.getOrDefault(partition, Set.of()).contains(found.offset())) {
                check(partition, found, verdict);
            }
        });
    }

    /** When all is over: of each partition the last that was acknowledged, or one attempted after it. */
    synchronized void checkAll(Map<TopicPartition, OffsetAndMetadata> now, Verdict verdict) {
        acknowledged.keySet().forEach(partition -> check(partition, now.get(partition), verdict));
    }

    private void check(TopicPartition partition, @Nullable OffsetAndMetadata found, Verdict verdict) {
        Long least = acknowledged.get(partition);
        if (least != null
                && (found == null
                        || found.offset() < least
                        || found.offset() > attempted.getOrDefault(partition, least))) {
            verdict.violation(
                    Violation.Kind.COMMIT_LOST,
                    "group %s, %s: committed %d, now %s".formatted(group, partition, least, found));
        }
    }
}
