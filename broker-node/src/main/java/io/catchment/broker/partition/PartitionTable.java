package io.catchment.broker.partition;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** What lookups find, by topic. Changed by the opener's thread, read lock-free from any. */
final class PartitionTable implements PartitionDirectory {
    private record TopicKey(String name, Uuid id) {}

    private final Map<String, Partition[]> byName = new ConcurrentHashMap<>();
    private final Map<Uuid, Partition[]> byId = new ConcurrentHashMap<>();

    @Override
    public @Nullable Partition find(String topic, int partition) {
        return at(byName.get(topic), partition);
    }

    @Override
    public @Nullable Partition find(Uuid topicId, int partition) {
        return at(byId.get(topicId), partition);
    }

    private static @Nullable Partition at(Partition @Nullable [] partitions, int index) {
        return partitions == null || index < 0 || index >= partitions.length ? null : partitions[index];
    }

    void add(List<Partition> opened) {
        Map<TopicKey, List<Partition>> byTopic = new HashMap<>();
        for (Partition partition : opened) {
            byTopic.computeIfAbsent(
                            new TopicKey(partition.topicPartition().topic(), partition.topicId()),
                            key -> new ArrayList<>())
                    .add(partition);
        }
        byTopic.forEach((topic, partitions) -> {
            Partition[] merged = merge(byId.get(topic.id()), partitions);
            byId.put(topic.id(), merged);
            byName.put(topic.name(), merged);
        });
    }

    private static Partition[] merge(Partition @Nullable [] present, List<Partition> added) {
        int size = present == null ? 0 : present.length;
        for (Partition partition : added) {
            size = Math.max(size, partition.topicPartition().partition() + 1);
        }
        Partition[] merged = present == null ? new Partition[size] : Arrays.copyOf(present, size);
        for (Partition partition : added) {
            merged[partition.topicPartition().partition()] = partition;
        }
        return merged;
    }

    void remove(Partition partition) {
        Uuid topicId = partition.topicId();
        String topic = partition.topicPartition().topic();
        int index = partition.topicPartition().partition();
        Partition[] present = byId.get(topicId);
        if (present == null || at(present, index) != partition) {
            return;
        }
        Partition[] without = present.clone();
        without[index] = null;
        if (Arrays.stream(without).allMatch(Objects::isNull)) {
            byId.remove(topicId);
            byName.remove(topic, present);
        } else {
            byId.put(topicId, without);
            byName.replace(topic, present, without);
        }
    }
}
