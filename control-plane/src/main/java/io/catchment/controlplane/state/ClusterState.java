package io.catchment.controlplane.state;

import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.server.immutable.ImmutableMap;
import org.apache.kafka.server.immutable.ImmutableNavigableSet;
import org.jspecify.annotations.Nullable;

/**
 * The whole replicated state as of one record. Immutable: versions share what did not change, so one more version costs what
 * changed, and the leader's state with undecided commands is simply another value.
 *
 * @param nextEpoch the next node or recovery epoch: one counter, so that each is higher than any before
 * @param commands how many commands took effect ever
 * @param topicNames names by topic id
 * @param collidingNames topics with '.' or '_' in their names by their name with '.' replaced
 * @param prepared ids of the objects that are PREPARED
 * @param owned how many streams each node owns; -1: nobody
 */
public record ClusterState(
        long nextEpoch,
        long nextStreamId,
        long nextExtentId,
        long nextObjectId,
        long nextProducerId,
        long commands,
        ImmutableMap<Integer, NodeState> nodes,
        ImmutableMap<String, TopicState> topics,
        ImmutableMap<Uuid, String> topicNames,
        ImmutableMap<String, String> collidingNames,
        ImmutableMap<Long, StreamState> streams,
        ImmutableMap<Integer, Integer> owned,
        ImmutableMap<Long, ExtentState> extents,
        ImmutableMap<Long, ObjectState> objects,
        ImmutableNavigableSet<Long> prepared,
        ImmutableMap<ConfigResource, ImmutableMap<String, String>> configs,
        ImmutableMap<String, Short> features,
        ImmutableMap<Long, CommandSession> sessions) {

    /** Nobody owns the stream. */
    public static final int NO_OWNER = -1;

    public static final ClusterState EMPTY = new ClusterState(
            1,
            1,
            1,
            1,
            0,
            0,
            ImmutableMap.empty(),
            ImmutableMap.empty(),
            ImmutableMap.empty(),
            ImmutableMap.empty(),
            ImmutableMap.empty(),
            ImmutableMap.empty(),
            ImmutableMap.empty(),
            ImmutableMap.empty(),
            ImmutableNavigableSet.empty(),
            ImmutableMap.empty(),
            ImmutableMap.empty(),
            ImmutableMap.empty());

    public Optional<TopicState> topic(Uuid topicId) {
        return Optional.ofNullable(topicNames.get(topicId)).map(topics::get);
    }

    public Map<String, String> configsOf(ConfigResource resource) {
        ImmutableMap<String, String> found = configs.get(resource);
        return found == null ? Map.of() : found;
    }

    /** Whether the node is registered, not fenced, and in just this epoch. */
    public boolean isCurrent(int nodeId, long nodeEpoch) {
        NodeState node = nodes.get(nodeId);
        return node != null && !node.fenced() && node.epoch() == nodeEpoch;
    }

    public int ownedBy(int nodeId) {
        @Nullable Integer count = owned.get(nodeId);
        return count == null ? 0 : count;
    }
}
