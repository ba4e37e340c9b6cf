package io.catchment.chaos.cluster;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.RetriableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the cluster says of itself: who leads what. Owned by one thread. */
public final class ClusterView implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterView.class);
    private static final Duration ANSWER = Duration.ofSeconds(5);
    private static final Duration CAUGHT_UP = Duration.ofSeconds(2);
    private final Admin admin;

    public ClusterView(String bootstrap) {
        Map<String, Object> config = new HashMap<>();
        config.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        // a node that hangs must not take the caller with it
        config.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, 2000);
        config.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) ANSWER.toMillis());
        config.put(AdminClientConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 200);
        admin = Admin.create(config);
    }

    /**
     * Partition to the number of its leader; a partition without one is missing.
     *
     * @throws IllegalStateException when the cluster does not answer in time
     */
    public Map<Integer, Integer> leaders(String topic) {
        Map<Integer, Integer> leaders = new TreeMap<>();
        for (TopicPartitionInfo partition : partitions(topic)) {
            if (partition.leader() != null && !partition.leader().isEmpty()) {
                leaders.put(partition.partition(), partition.leader().id());
            }
        }
        return leaders;
    }

    /** Number of the active controller. */
    public int controller() {
        return get(admin.describeMetadataQuorum().quorumInfo()).leaderId();
    }

    /** Whether each voter of the metadata quorum runs, and lately had all that the active controller has: any one may fail. */
    public boolean votersCaughtUp() {
        try {
            QuorumInfo quorum = get(admin.describeMetadataQuorum().quorumInfo());
            return Voters.allCaughtUp(
                    quorum.leaderId(), replicas(quorum.voters()), replicas(quorum.observers()), CAUGHT_UP);
        } catch (IllegalStateException e) {
            LOG.debug("nobody answers at the moment", e);
            return false;
        }
    }

    private static List<Voters.Replica> replicas(List<QuorumInfo.ReplicaState> states) {
        return states.stream()
                .map(state -> new Voters.Replica(
                        state.replicaId(),
                        state.lastFetchTimestamp().orElse(0),
                        state.lastCaughtUpTimestamp().orElse(0)))
                .toList();
    }

    /** Whether every partition's leader answers for it. */
    public boolean serves(String topic, int partitions) {
        Map<TopicPartition, OffsetSpec> all = new HashMap<>();
        for (int partition = 0; partition < partitions; partition++) {
            all.put(new TopicPartition(topic, partition), OffsetSpec.latest());
        }
        return answers(admin.listOffsets(all).all());
    }

    /** Whether every replica of the topic's partitions is in sync. */
    public boolean inSync(String topic) {
        try {
            return partitions(topic).stream()
                    .allMatch(partition ->
                            partition.isr().size() >= partition.replicas().size());
        } catch (IllegalStateException e) {
            LOG.debug("nobody answers at the moment", e);
            return false;
        }
    }

    private List<TopicPartitionInfo> partitions(String topic) {
        return get(admin.describeTopics(List.of(topic)).allTopicNames()).values().stream()
                .flatMap(description -> description.partitions().stream())
                .toList();
    }

    /** Asks for the preferred leaders: Apache Kafka does so by itself only every five minutes. */
    public void electPreferredLeaders() {
        boolean done = answers(admin.electLeaders(ElectionType.PREFERRED, null).all());
        LOG.debug("preferred leaders elected: {}", done);
    }

    /** Whether the nodes that the cluster knows as alive are exactly these. */
    public boolean alive(List<Integer> nodes) {
        try {
            return alive().equals(nodes);
        } catch (IllegalStateException e) {
            LOG.debug("nobody answers at the moment", e);
            return false;
        }
    }

    /** Numbers of the nodes that the cluster knows as alive, ascending. */
    public List<Integer> alive() {
        return get(admin.describeCluster().nodes()).stream()
                .map(Node::id)
                .sorted()
                .toList();
    }

    private static boolean answers(KafkaFuture<?> future) {
        try {
            future.get(ANSWER.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RetriableException || e.getCause() instanceof ElectionNotNeededException) {
                return false;
            }
            throw new IllegalStateException(e.getCause());
        } catch (TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static <T> T get(KafkaFuture<T> future) {
        try {
            return future.get(ANSWER.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } catch (TimeoutException e) {
            throw new IllegalStateException("no answer from the cluster within " + ANSWER.toMillis() + " ms", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(1));
    }
}
