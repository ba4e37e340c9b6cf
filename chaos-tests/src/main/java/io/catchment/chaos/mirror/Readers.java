package io.catchment.chaos.mirror;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.history.Violation;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Consumer groups of a flow: each consumes a part of the source topic, commits and leaves, and goes on in the mirror later, from where
 * MirrorMaker says. Owned by the thread that runs the scenario.
 *
 * <p>How much they may read again. MirrorMaker notes offsets of both clusters as pairs, and translates an offset to the last pair before
 * it: nothing can be skipped. Two things make that pair an old one.
 * <ul>
 *   <li>Pairs are missing. With {@code offset.lag.max=0} there is one for each record, but for those of a transaction, of which only the
 *       last is certain, and for what was mirrored while the topic of the pairs had no leader: {@link #GAP_S} seconds of records.
 *   <li>Pairs are forgotten. MirrorMaker keeps 64 for each partition, ever fewer the older they are: of two neighbours, the distance is
 *       at most four times that to the latest pair. So an offset that is {@code n} records behind when it is translated, may lose
 *       {@code 4 n} of them. Once translated it stays, since MirrorMaker never takes a group back. {@code n} is what was sent between
 *       the commit and the moment when we see its translation.
 * </ul>
 * A group that has consumed everything when the load rests is translated exactly.
 */
final class Readers {
    static final String GROUP = "-readers-";
    private static final int GAP_S = 15;

    private final Flow flow;
    private final Map<String, Group> groups = new TreeMap<>();
    private long again;
    private long againMost;

    /** The offsets that a group has committed by partition, and how many records it may get again. */
    private record Group(Map<Integer, Long> committed, Map<Integer, Long> againMax) {}

    Readers(Flow flow) {
        this.flow = flow;
    }

    private String id(String name) {
        return flow.topic() + GROUP + name;
    }

    /** A group that MirrorMaker knows before it consumes anything: it translates the offsets of new ones much later. */
    void introduce(String name) {
        Map<TopicPartition, OffsetAndMetadata> zero = flow.partitions(flow.topic()).stream()
                .collect(Collectors.toMap(one -> one, one -> new OffsetAndMetadata(0)));
        Flow.get(flow.sourceAdmin().alterConsumerGroupOffsets(id(name), zero).all());
    }

    /** Consumes so many records or a few more, commits and leaves. */
    void consume(String name, long records) {
        Map<Integer, Long> committed = new HashMap<>();
        try (var consumer = member(flow.source(), id(name))) {
            consumer.subscribe(List.of(flow.topic()));
            long[] count = {0};
            boolean done = Await.within(Flow.PATIENCE, Duration.ZERO, () -> {
                count[0] += consumer.poll(Duration.ofMillis(200)).count();
                return count[0] >= records;
            });
            if (!done) {
                flow.verdict()
                        .violation(
                                Violation.Kind.LATE,
                                "%s consumed %d of %d records".formatted(id(name), count[0], records));
            }
            consumer.assignment().forEach(one -> committed.put(one.partition(), consumer.position(one)));
            consumer.commitSync(Flow.PATIENCE);
        }
        groups.put(name, new Group(committed, new HashMap<>()));
    }

    private static KafkaConsumer<byte[], byte[]> member(String bootstrap, String group) {
        Map<String, Object> config = Map.of(
                "bootstrap.servers",
                bootstrap,
                "group.id",
                group,
                "auto.offset.reset",
                "earliest",
                "isolation.level",
                "read_committed",
                "enable.auto.commit",
                false,
                // a little of each partition in turn
                "max.partition.fetch.bytes",
                8_000,
                "max.poll.records",
                50);
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** MirrorMaker has translated what the group has committed, for the first time. What lies before the first pair, it never does. */
    void awaitTranslated(String name) {
        Group group = Objects.requireNonNull(groups.get(name));
        long missing = MirrorMaker.POLL_RECORDS_MAX + (long) GAP_S * flow.partitionPerSecond();
        if (!Await.within(Flow.PATIENCE, Duration.ofMillis(100), () -> translated(name, group.committed, missing))) {
            flow.verdict()
                    .violation(
                            Violation.Kind.LATE,
                            "%s: its offsets were not translated within %d s"
                                    .formatted(id(name), Flow.PATIENCE.toSeconds()));
        }
        var ends = Flow.ends(flow.sourceAdmin(), flow.partitions(flow.topic()), IsolationLevel.READ_UNCOMMITTED);
        ends.forEach((one, end) -> {
            long behind = end - group.committed.getOrDefault(one.partition(), 0L);
            group.againMax.put(one.partition(), missing + 4 * behind);
        });
    }

    private boolean translated(String name, Map<Integer, Long> committed, long missing) {
        try {
            var offsets = Flow.get(
                    flow.targetAdmin().listConsumerGroupOffsets(id(name)).partitionsToOffsetAndMetadata());
            return committed.entrySet().stream()
                    .filter(entry -> entry.getValue() > missing)
                    .allMatch(entry -> {
                        var offset = offsets.get(new TopicPartition(flow.mirror(), entry.getKey()));
                        return offset != null && offset.offset() > 0;
                    });
        } catch (IllegalStateException e) {
            return false; // no coordinator yet
        }
    }

    /** A group that consumes everything, while nothing is sent, is translated exactly. */
    void restExactly(String name) {
        consume(name, flow.sent().count());
        Group group = Objects.requireNonNull(groups.get(name));
        var exact = new HashMap<Integer, Long>();
        group.committed.keySet().forEach(partition -> exact.put(partition, 0L));
        groups.put(name, new Group(group.committed, exact));
    }

    /** All groups go on in the mirror. */
    void goOn() {
        for (var entry : groups.entrySet()) {
            String name = entry.getKey();
            Group group = entry.getValue();
            Map<Integer, Long> consumed = new HashMap<>();
            group.committed.forEach((partition, offset) ->
                    consumed.put(partition, (long) flow.sent().before(partition, offset)));
            if (group.againMax.values().stream().allMatch(most -> most == 0)) {
                // the last pairs may still be under way; a look from outside, since MirrorMaker leaves groups alone
                // that have members
                Await.within(Flow.PATIENCE, Duration.ofSeconds(1), () -> first(name, false)
                        .equals(consumed));
            }
            Map<Integer, Long> first = first(name, true);
            consumed.forEach((partition, count) -> {
                long more = MirrorCheck.resumption(
                        "%s in %s-%d".formatted(id(name), flow.mirror(), partition),
                        count,
                        first.getOrDefault(partition, 0L),
                        group.againMax.getOrDefault(partition, 0L),
                        flow.verdict());
                again += more;
                againMost = Math.max(againMost, more);
            });
        }
    }

    /** Places in the source partitions of the first records that the group gets in the mirror. */
    private Map<Integer, Long> first(String name, boolean join) {
        Map<Integer, Long> first = new HashMap<>();
        try (var consumer = member(flow.target(), id(name))) {
            List<TopicPartition> all = flow.partitions(flow.mirror());
            if (join) {
                consumer.subscribe(List.of(flow.mirror()));
            } else {
                consumer.assign(all);
            }
            boolean done = Await.within(Flow.PATIENCE, Duration.ZERO, () -> {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    List<Long> numbers = flow.sent().of(record.partition());
                    first.putIfAbsent(record.partition(), (long) numbers.indexOf(Content.number(record)));
                }
                if (!consumer.assignment().containsAll(all)) {
                    return false;
                }
                Map<TopicPartition, Long> ends = consumer.endOffsets(all);
                return all.stream()
                        .allMatch(one -> first.containsKey(one.partition())
                                || consumer.position(one) >= ends.getOrDefault(one, 0L));
            });
            if (!done) {
                flow.verdict().violation(Violation.Kind.LATE, id(name) + " does not go on in " + flow.mirror());
            }
            all.forEach(one -> first.putIfAbsent(
                    one.partition(), (long) flow.sent().of(one.partition()).size()));
        }
        return first;
    }

    String figures() {
        return "%d groups went on in %s with %d records again, at most %d of a partition"
                .formatted(groups.size(), flow.mirror(), again, againMost);
    }
}
