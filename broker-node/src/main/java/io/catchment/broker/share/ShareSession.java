package io.catchment.broker.share;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.requests.ShareRequestMetadata;

/** What one member wants from this node, from one request to the next, as long as its connection lasts. Owned by the share loop. */
final class ShareSession {
    private final String group;
    private final String member;
    private final String connectionId;
    /** By id alone: what a topic is called may be known when a partition is added, and not when it is forgotten. */
    private final Set<TopicIdPartition> partitions = new LinkedHashSet<>();

    private boolean over;
    private int epoch = ShareRequestMetadata.nextEpoch(ShareRequestMetadata.INITIAL_EPOCH);

    ShareSession(String group, String member, String connectionId, Collection<TopicIdPartition> partitions) {
        this.group = group;
        this.member = member;
        this.connectionId = connectionId;
        change(partitions, List.of());
    }

    String group() {
        return group;
    }

    String member() {
        return member;
    }

    /** With which it ends. */
    String connectionId() {
        return connectionId;
    }

    /** Of its next request. */
    int epoch() {
        return epoch;
    }

    void advance() {
        epoch = ShareRequestMetadata.nextEpoch(epoch);
    }

    /** Nothing is acquired for it any more. */
    boolean isOver() {
        return over;
    }

    void end() {
        over = true;
    }

    void change(Collection<TopicIdPartition> added, Collection<TopicIdPartition> forgotten) {
        added.forEach(partition -> partitions.add(byId(partition)));
        forgotten.forEach(partition -> partitions.remove(byId(partition)));
    }

    private static TopicIdPartition byId(TopicIdPartition partition) {
        return ShareRequests.byId(partition.topicId(), partition.partition());
    }

    /** Each request begins with another one, so that none is always the last. */
    List<TopicIdPartition> inTurn() {
        List<TopicIdPartition> turn = new ArrayList<>(partitions);
        if (!turn.isEmpty()) {
            Collections.rotate(turn, -(epoch % turn.size()));
        }
        return turn;
    }
}
