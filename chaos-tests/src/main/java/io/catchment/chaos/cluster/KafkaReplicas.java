package io.catchment.chaos.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.ElectionNotNeededException;

/** What an operator of Apache Kafka does so that another set of brokers carries everything: a reassignment of all partitions. */
final class KafkaReplicas {
    private static final long ANSWER_S = 60;
    private static final Duration MOVED = Duration.ofMinutes(30);

    private KafkaReplicas() {}

    /** Every partition keeps its number of replicas, leaders are spread evenly; as few replicas move as that permits. Returns when they have. */
    static void spread(String bootstrap, List<Integer> nodes) {
        try (Admin admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap))) {
            Set<String> topics = get(
                    admin.listTopics(new ListTopicsOptions().listInternal(true)).names());
            Map<TopicPartition, Optional<NewPartitionReassignment>> changes = new HashMap<>();
            for (TopicDescription topic :
                    get(admin.describeTopics(topics).allTopicNames()).values()) {
                for (TopicPartitionInfo partition : topic.partitions()) {
                    List<Integer> now = partition.replicas().stream()
                            .map(replica -> replica.id())
                            .toList();
                    changes.put(
                            new TopicPartition(topic.name(), partition.partition()),
                            Optional.of(new NewPartitionReassignment(
                                    replicas(now, nodes, partition.partition() % nodes.size()))));
                }
            }
            get(admin.alterPartitionReassignments(changes).all());
            Await.until(
                    "end of the reassignment",
                    MOVED,
                    Duration.ofMillis(200),
                    () -> get(admin.listPartitionReassignments().reassignments())
                            .isEmpty());
            elect(admin);
        }
    }

    /** The leader first, then those who have the data already. */
    static List<Integer> replicas(List<Integer> now, List<Integer> nodes, int leader) {
        List<Integer> replicas = new ArrayList<>(List.of(nodes.get(leader)));
        now.stream()
                .filter(node -> nodes.contains(node) && !replicas.contains(node))
                .forEach(replicas::add);
        for (int i = 1; i < nodes.size(); i++) {
            int node = nodes.get((leader + i) % nodes.size());
            if (!replicas.contains(node)) {
                replicas.add(node);
            }
        }
        return List.copyOf(replicas.subList(0, Math.min(now.size(), replicas.size())));
    }

    private static void elect(Admin admin) {
        try {
            get(admin.electLeaders(ElectionType.PREFERRED, null).all());
        } catch (IllegalStateException e) {
            if (!(e.getCause() instanceof ElectionNotNeededException)) {
                throw e;
            }
        }
    }

    private static <T> T get(KafkaFuture<T> future) {
        try {
            return future.get(ANSWER_S, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } catch (TimeoutException e) {
            throw new IllegalStateException("no answer from the cluster within " + ANSWER_S + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
