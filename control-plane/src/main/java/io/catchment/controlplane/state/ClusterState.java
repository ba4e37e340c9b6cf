package io.catchment.controlplane.state;

import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TaskState;
import io.catchment.controlplane.TopicState;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.server.immutable.ImmutableMap;
import org.apache.kafka.server.immutable.ImmutableNavigableSet;
import org.jspecify.annotations.Nullable;

/**
 * The whole replicated state as of one record. Immutable: versions share what did not change, so one more version costs what
 * changed, and the leader's state with undecided commands is simply another value.
 *
 * @param historyId drawn when the log began, see {@link io.catchment.controlplane.ClusterImage#historyId}; zero if none was
 * @param nextEpoch the next node or recovery epoch: one counter, so that each is higher than any before
 * @param commands how many commands took effect ever
 * @param topicNames names by topic id
 * @param collidingNames topics with '.' or '_' in their names by their name with '.' replaced
 * @param tasks work given to nodes
 * @param retired manifests, by their object's id, whose ranges nobody needs any more, and whose objects are to be named and deleted
 * @param moving ids of the streams that have a target
 * @param away ids of the streams that another node owns than the preferred one
 * @param prepared ids of the objects that are PREPARED
 * @param owned how many streams each node owns; -1: nobody
 */
public record ClusterState(
        Uuid historyId,
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
        ImmutableMap<Long, ManifestRef> retired,
        ImmutableMap<Integer, Integer> owned,
        ImmutableNavigableSet<Long> moving,
        ImmutableNavigableSet<Long> away,
        ImmutableMap<Long, ExtentState> extents,
        ImmutableMap<TaskKey, TaskState> tasks,
        ImmutableMap<Long, ObjectState> objects,
        ImmutableNavigableSet<Long> prepared,
        ImmutableMap<ConfigResource, ImmutableMap<String, String>> configs,
        ImmutableMap<String, Short> features,
        ImmutableMap<Long, CommandSession> sessions) {

    /** Nobody owns the stream. */
    public static final int NO_OWNER = -1;

    public static final ClusterState EMPTY = new ClusterState(
            Uuid.ZERO_UUID,
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
            ImmutableNavigableSet.empty(),
            ImmutableNavigableSet.empty(),
            ImmutableMap.empty(),
            ImmutableMap.empty(),
            ImmutableMap.empty(),
            ImmutableNavigableSet.empty(),
            ImmutableMap.empty(),
            ImmutableMap.empty(),
            ImmutableMap.empty());

    public record TaskKey(TaskState.Kind kind, long extentId) {
        public static TaskKey of(TaskState task) {
            return new TaskKey(task.kind(), task.extentId());
        }
    }

    public Optional<TaskState> task(TaskState.Kind kind, long extentId) {
        return Optional.ofNullable(tasks.get(new TaskKey(kind, extentId)));
    }

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

    /** Whether the node's present process uses just this store. */
    public boolean isLive(ExtentState.Store store) {
        NodeState node = nodes.get(store.nodeId());
        return node != null && node.isLive() && node.storeId().equals(store.storeId());
    }

    /** Dead writers with extents that are not sealed: their streams cannot be opened. */
    public Set<StreamState.Writer> writersUnderRecovery() {
        Set<StreamState.Writer> writers = new HashSet<>();
        for (ExtentState extent : extents.values()) {
            if (extent.phase() == ExtentState.Phase.RECOVERING) {
                writers.add(new StreamState.Writer(extent.writerNodeId(), extent.writerEpoch()));
            }
        }
        return writers;
    }

    public int ownedBy(int nodeId) {
        @Nullable Integer count = owned.get(nodeId);
        return count == null ? 0 : count;
    }
}
