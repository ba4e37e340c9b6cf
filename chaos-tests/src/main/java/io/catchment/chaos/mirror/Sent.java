package io.catchment.chaos.mirror;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The records of one topic that were acknowledged, by number, in the order of their offsets. Guarded by its own lock. */
final class Sent {
    private final Map<Integer, TreeMap<Long, Long>> partitions = new TreeMap<>();

    synchronized void acknowledged(int partition, long offset, long number) {
        partitions.computeIfAbsent(partition, p -> new TreeMap<>()).put(offset, number);
    }

    synchronized long count() {
        return partitions.values().stream().mapToLong(TreeMap::size).sum();
    }

    /** Numbers of a partition's records. */
    synchronized List<Long> of(int partition) {
        return new ArrayList<>(
                partitions.getOrDefault(partition, new TreeMap<>()).values());
    }

    /** How many records of a partition lie before an offset. */
    synchronized int before(int partition, long offset) {
        return partitions
                .getOrDefault(partition, new TreeMap<>())
                .headMap(offset)
                .size();
    }
}
