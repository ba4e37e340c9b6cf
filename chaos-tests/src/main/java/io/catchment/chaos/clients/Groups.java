package io.catchment.chaos.clients;

import io.catchment.chaos.cluster.Await;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import io.catchment.chaos.workload.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A group whose members come, leave and die: each time the partitions are shared out among those who live, every record comes to somebody,
 * and the offsets they commit reach the end. Owned by the thread that runs the scenario.
 */
final class Groups {
    private static final Logger LOG = LoggerFactory.getLogger(Groups.class);
    private static final int PARTITIONS = 6;
    private static final int RECORDS = 60;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final String bootstrap;
    private final Verdict verdict;

    Groups(String bootstrap, Verdict verdict) {
        this.bootstrap = bootstrap;
        this.verdict = verdict;
    }

    /** @param members at least two; the first one stays to the end */
    String run(String name, List<StockClient> members) throws Exception {
        LOG.info("group {}", name);
        String topic = "g-" + name;
        String group = "group-" + name;
        Topics.create(bootstrap, topic, PARTITIONS);
        long before = verdict.count();
        List<GroupMember> all = new ArrayList<>();
        Map<Integer, Set<Long>> sent = new HashMap<>();
        try {
            GroupMember first = members.get(0).join(bootstrap, group, topic);
            all.add(first);
            shared(name + ": one member", List.of(first));
            send(topic, sent);
            received(name + ": one member", all, sent);
            for (StockClient client : members.subList(1, members.size())) {
                all.add(client.join(bootstrap, group, topic));
            }
            shared(name + ": " + members.size() + " members", all);
            send(topic, sent);
            received(name + ": " + members.size() + " members", all, sent);
            for (GroupMember member : all.subList(1, all.size())) {
                member.leave();
            }
            shared(name + ": those who came left", List.of(first));
            GroupMember killed = members.get(1).join(bootstrap, group, topic);
            all.add(killed);
            shared(name + ": another one", List.of(first, killed));
            killed.kill();
            send(topic, sent);
            shared(name + ": one was killed", List.of(first));
            received(name + ": one was killed", all, sent);
            committed(name, group, topic, sent);
            first.leave();
        } finally {
            all.forEach(GroupMember::close);
        }
        return verdict.count() == before ? "ok" : "FAILED";
    }

    /** All partitions are with somebody, none with two, and nobody is without. */
    private void shared(String when, List<GroupMember> living) {
        if (!Await.within(PATIENCE, Duration.ofMillis(20), () -> isShared(living))) {
            List<String> who = living.stream()
                    .map(member -> member.name() + " " + new TreeSet<>(member.assigned()))
                    .toList();
            verdict.violation(Violation.Kind.LATE, when + ": partitions not shared out: " + who);
        }
    }

    private static boolean isShared(List<GroupMember> living) {
        Set<Integer> partitions = new HashSet<>();
        int count = 0;
        for (GroupMember member : living) {
            Set<Integer> assigned = member.assigned();
            partitions.addAll(assigned);
            count += assigned.size();
            if (assigned.isEmpty()) {
                return false;
            }
        }
        return count == PARTITIONS && partitions.size() == PARTITIONS;
    }

    private void send(String topic, Map<Integer, Set<Long>> sent) throws Exception {
        Map<String, Object> config = Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int i = 0; i < RECORDS; i++) {
                var metadata = producer.send(new ProducerRecord<>(topic, i % PARTITIONS, null, new byte[] {(byte) i}))
                        .get();
                sent.computeIfAbsent(metadata.partition(), any -> new HashSet<>())
                        .add(metadata.offset());
            }
        }
    }

    private void received(String when, List<GroupMember> members, Map<Integer, Set<Long>> sent) {
        if (!Await.within(
                PATIENCE, Duration.ofMillis(20), () -> received(members).equals(sent))) {
            verdict.violation(
                    Violation.Kind.LOST,
                    "%s: sent %s, received %s".formatted(when, sizes(sent), sizes(received(members))));
        }
    }

    private static Map<Integer, Set<Long>> received(List<GroupMember> members) {
        Map<Integer, Set<Long>> all = new HashMap<>();
        members.forEach(member -> member.addTo(all));
        return all;
    }

    private static String sizes(Map<Integer, Set<Long>> offsets) {
        Map<Integer, Integer> sizes = new HashMap<>();
        offsets.forEach((partition, of) -> sizes.put(partition, of.size()));
        return sizes.toString();
    }

    private void committed(String name, String group, String topic, Map<Integer, Set<Long>> sent) {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            Map<Integer, Long> ends = new HashMap<>();
            sent.forEach((partition, offsets) -> ends.put(partition, (long) offsets.size()));
            if (!Await.within(PATIENCE, Duration.ofMillis(50), () -> offsets(admin, group, topic)
                    .equals(ends))) {
                verdict.violation(
                        Violation.Kind.COMMIT_LOST,
                        "%s: committed %s of %s".formatted(name, offsets(admin, group, topic), ends));
            }
        }
    }

    private static Map<Integer, Long> offsets(Admin admin, String group, String topic) {
        try {
            Map<Integer, Long> offsets = new HashMap<>();
            admin.listConsumerGroupOffsets(group)
                    .partitionsToOffsetAndMetadata()
                    .get()
                    .forEach((TopicPartition partition, org.apache.kafka.clients.consumer.OffsetAndMetadata offset) -> {
                        if (offset != null && partition.topic().equals(topic)) {
                            offsets.put(partition.partition(), offset.offset());
                        }
                    });
            return offsets;
        } catch (java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
