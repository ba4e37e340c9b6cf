package io.catchment.chaos.compaction;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

/** What the scenario asks of a cluster's admin API. Single-threaded. */
final class OffsetsApi implements AutoCloseable {
    private final Admin admin;

    OffsetsApi(String bootstrap) {
        admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap));
    }

    void create(String topic, int partitions, Map<String, String> config) {
        get(admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(config)))
                .all());
    }

    void set(ConfigResource resource, String key, String value) {
        get(admin.incrementalAlterConfigs(Map.of(
                        resource, List.of(new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET))))
                .all());
    }

    long deleteBefore(TopicPartition partition, long offset) {
        var lowWatermarks = admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(offset)))
                .lowWatermarks();
        return get(Objects.requireNonNull(lowWatermarks.get(partition))).lowWatermark();
    }

    /** What each question is answered, "offset@timestamp". */
    Map<String, String> answers(TopicPartition partition, List<Long> timesMs) {
        Map<String, OffsetSpec> questions = new LinkedHashMap<>();
        questions.put("earliest", OffsetSpec.earliest());
        questions.put("latest", OffsetSpec.latest());
        questions.put("max timestamp", OffsetSpec.maxTimestamp());
        timesMs.forEach(time -> questions.put("time " + time, OffsetSpec.forTimestamp(time)));
        Map<String, String> answers = new LinkedHashMap<>();
        questions.forEach((name, question) -> {
            var answer = get(admin.listOffsets(Map.of(partition, question)).partitionResult(partition));
            answers.put(name, answer.offset() + "@" + answer.timestamp());
        });
        return answers;
    }

    /** Bytes of the topic on all brokers. */
    long bytes(String topic) {
        Map<Integer, Long> all = new HashMap<>();
        var nodes = get(admin.describeCluster().nodes());
        for (var node : nodes) {
            var logs = get(admin.describeLogDirs(List.of(node.id())).allDescriptions());
            logs.getOrDefault(node.id(), Map.of()).values().forEach(dir -> dir.replicaInfos()
                    .forEach((partition, replica) -> {
                        if (partition.topic().equals(topic)) {
                            all.merge(node.id(), replica.size(), Long::sum);
                        }
                    }));
        }
        return all.values().stream().mapToLong(Long::longValue).sum();
    }

    static <T> T get(KafkaFuture<T> future) {
        try {
            return future.get(60, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        } catch (TimeoutException e) {
            throw new IllegalStateException("no answer from the cluster within 60 s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        admin.close();
    }
}
