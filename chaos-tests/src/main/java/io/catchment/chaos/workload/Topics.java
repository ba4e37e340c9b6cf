package io.catchment.chaos.workload;

import io.catchment.chaos.cluster.Await;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Creates and deletes topics. */
public final class Topics {
    private Topics() {}

    /**
     * One that exists already is taken as it is. Its records stay for ever: event times of test data are often old. Returns when the
     * leaders answer for their partitions: an idempotent producer whose first batch comes too early, and whose second does not, waits
     * for ever, with Apache Kafka too.
     */
    public static void create(String bootstrap, String topic, int partitions) {
        create(bootstrap, topic, partitions, Map.of());
    }

    /** The same with further topic configuration. */
    public static void create(String bootstrap, String topic, int partitions, Map<String, String> configs) {
        Map<String, String> forTopic = new HashMap<>(configs);
        forTopic.put("retention.ms", "-1");
        try (Admin admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap))) {
            await(
                    admin.createTopics(List.of(
                                    new NewTopic(topic, Optional.of(partitions), Optional.empty()).configs(forTopic)))
                            .all(),
                    TopicExistsException.class);
            Map<TopicPartition, OffsetSpec> all = new HashMap<>();
            for (int partition = 0; partition < partitions; partition++) {
                all.put(new TopicPartition(topic, partition), OffsetSpec.latest());
            }
            Await.until("leaders of " + topic, Duration.ofSeconds(60), Duration.ofMillis(50), () -> lead(admin, all));
        }
    }

    private static boolean lead(Admin admin, Map<TopicPartition, OffsetSpec> partitions) {
        try {
            admin.listOffsets(partitions).all().get(60, TimeUnit.SECONDS);
            return true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RetriableException) {
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

    /** One that does not exist is no error. */
    public static void delete(String bootstrap, String topic) {
        try (Admin admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap))) {
            await(admin.deleteTopics(List.of(topic)).all(), UnknownTopicOrPartitionException.class);
        }
    }

    private static void await(KafkaFuture<Void> future, Class<? extends Throwable> harmless) {
        try {
            future.get(60, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (!harmless.isInstance(e.getCause())) {
                throw new IllegalStateException(e.getCause());
            }
        } catch (TimeoutException e) {
            throw new IllegalStateException("no answer from the cluster within 60 s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
