package io.catchment.controlplane.placement;

import io.catchment.controlplane.StreamState;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.PriorityQueue;
import org.apache.kafka.common.Uuid;

/**
 * Which stream goes from one node to another so that topics' partitions stay spread: one of the topic that has most more of them here than
 * there, of these the one with the lowest id. Owned by one plan, for which no node both gives and takes: so how much more crowded a topic is
 * here than there only falls, and what a queue says of it is never too little. A move costs O(log topics).
 */
final class Crowds {
    private final Map<Integer, Node> nodes = new HashMap<>();
    private final Map<Way, PriorityQueue<Crowd>> queues = new HashMap<>();

    private record Way(int from, int to) {}

    /** @param firstStreamId of those that may go */
    private record Crowd(int size, long firstStreamId, Uuid topicId) implements Comparable<Crowd> {
        private static final Comparator<Crowd> ORDER =
                Comparator.comparingInt(Crowd::size).reversed().thenComparingLong(Crowd::firstStreamId);

        @Override
        public int compareTo(Crowd other) {
            return ORDER.compare(this, other);
        }
    }

    private static final class Node {
        private final Map<Uuid, Integer> counts = new HashMap<>();
        private final Map<Uuid, Deque<Long>> movable = new LinkedHashMap<>();

        int count(Uuid topicId) {
            return counts.getOrDefault(topicId, 0);
        }
    }

    /** In the order of ids. */
    void add(StreamState stream, boolean mayGo) {
        Node node = node(stream.ownerNodeId());
        node.counts.merge(stream.topicId(), 1, Integer::sum);
        if (mayGo) {
            node.movable
                    .computeIfAbsent(stream.topicId(), topic -> new ArrayDeque<>(1))
                    .add(stream.streamId());
        }
    }

    /** Empty when none may go. */
    OptionalLong move(int from, int to) {
        PriorityQueue<Crowd> queue = queues.computeIfAbsent(new Way(from, to), this::queue);
        while (true) {
            Crowd first = queue.poll();
            if (first == null) {
                return OptionalLong.empty();
            }
            Deque<Long> streams = node(from).movable.getOrDefault(first.topicId(), new ArrayDeque<>(1));
            if (streams.isEmpty()) {
                continue;
            }
            Crowd now = crowd(from, to, first.topicId(), streams.getFirst());
            if (!now.equals(first)) {
                queue.add(now);
                continue;
            }
            long streamId = streams.removeFirst();
            node(from).counts.merge(first.topicId(), -1, Integer::sum);
            node(to).counts.merge(first.topicId(), 1, Integer::sum);
            if (!streams.isEmpty()) {
                queue.add(crowd(from, to, first.topicId(), streams.getFirst()));
            }
            return OptionalLong.of(streamId);
        }
    }

    private PriorityQueue<Crowd> queue(Way way) {
        PriorityQueue<Crowd> queue = new PriorityQueue<>();
        node(way.from()).movable.forEach((topic, streams) -> {
            if (!streams.isEmpty()) {
                queue.add(crowd(way.from(), way.to(), topic, streams.getFirst()));
            }
        });
        return queue;
    }

    private Crowd crowd(int from, int to, Uuid topicId, long firstStreamId) {
        return new Crowd(node(from).count(topicId) - node(to).count(topicId), firstStreamId, topicId);
    }

    private Node node(int nodeId) {
        return nodes.computeIfAbsent(nodeId, id -> new Node());
    }
}
