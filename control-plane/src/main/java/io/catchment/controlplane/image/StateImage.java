package io.catchment.controlplane.image;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TaskState;
import io.catchment.controlplane.TopicState;
import io.catchment.controlplane.log.Leadership;
import io.catchment.controlplane.state.ClusterState;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.image.MetadataImage;

/**
 * One version of the state with Kafka's view of it. Immutable.
 *
 * @param offset of the last record in it, -1 before the first
 * @param logEpoch and
 * @param logTimestampMs of the batch that ended there
 */
public record StateImage(
        String clusterId,
        long offset,
        int logEpoch,
        long logTimestampMs,
        int controllerId,
        ClusterState state,
        MetadataImage metadata)
        implements ClusterImage {

    public static StateImage empty(String clusterId) {
        return new StateImage(clusterId, -1, 0, 0, Leadership.NOBODY, ClusterState.EMPTY, MetadataImage.EMPTY);
    }

    public StateImage withController(int newControllerId) {
        return new StateImage(clusterId, offset, logEpoch, logTimestampMs, newControllerId, state, metadata);
    }

    @Override
    public Optional<Uuid> historyId() {
        return state.features().isEmpty() ? Optional.empty() : Optional.of(state.historyId());
    }

    @Override
    public Collection<NodeState> nodes() {
        return state.nodes().values();
    }

    @Override
    public Optional<NodeState> node(int nodeId) {
        return Optional.ofNullable(state.nodes().get(nodeId));
    }

    @Override
    public Collection<TopicState> topics() {
        return state.topics().values();
    }

    @Override
    public Optional<TopicState> topic(String name) {
        return Optional.ofNullable(state.topics().get(name));
    }

    @Override
    public Optional<TopicState> topic(Uuid topicId) {
        return state.topic(topicId);
    }

    @Override
    public Optional<StreamState> stream(long streamId) {
        return Optional.ofNullable(state.streams().get(streamId));
    }

    @Override
    public Collection<StreamState> streams() {
        return state.streams().values();
    }

    @Override
    public Optional<ExtentState> extent(long extentId) {
        return Optional.ofNullable(state.extents().get(extentId));
    }

    @Override
    public Collection<ExtentState> extents() {
        return state.extents().values();
    }

    @Override
    public Optional<ObjectState> object(long objectId) {
        return Optional.ofNullable(state.objects().get(objectId));
    }

    @Override
    public Collection<ObjectState> objects() {
        return state.objects().values();
    }

    @Override
    public Collection<ManifestRef> retiredManifests() {
        return state.retired().values();
    }

    @Override
    public long nextObjectId() {
        return state.nextObjectId();
    }

    @Override
    public Collection<TaskState> tasks() {
        return state.tasks().values();
    }

    @Override
    public Map<String, String> configs(byte resourceType, String resourceName) {
        return state.configsOf(new ConfigResource(ConfigResource.Type.forId(resourceType), resourceName));
    }

    @Override
    public String toString() {
        return "image of cluster " + clusterId + " at offset " + offset;
    }
}
