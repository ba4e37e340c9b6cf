package io.catchment.broker.testing;

import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.partition.PartitionView;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** The partitions a test opened. Thread-safe. */
public final class FakeDirectory implements PartitionDirectory {
    private final Map<TopicPartition, PartitionView> open = new ConcurrentHashMap<>();

    public void open(PartitionView partition) {
        open.put(partition.topicPartition(), partition);
    }

    public void close(PartitionView partition) {
        open.remove(partition.topicPartition());
    }

    @Override
    public @Nullable PartitionView find(String topic, int partition) {
        return open.get(new TopicPartition(topic, partition));
    }

    @Override
    public @Nullable PartitionView find(Uuid topicId, int partition) {
        return open.values().stream()
                .filter(view ->
                        view.topicId().equals(topicId) && view.topicPartition().partition() == partition)
                .findFirst()
                .orElse(null);
    }
}
