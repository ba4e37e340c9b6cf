package io.catchment.broker.testing;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.image.MetadataImage;

/** Nodes, topics, streams and configurations in maps; no extents or objects. Immutable: changes make a copy. */
final class FakeClusterImage implements ClusterImage {
    long offset = -1;
    MetadataImage metadata = MetadataImage.EMPTY;
    final Map<Integer, NodeState> nodes = new TreeMap<>();
    final Map<String, TopicState> topics = new TreeMap<>();
    final Map<Long, StreamState> streams = new TreeMap<>();
    final Map<String, Map<String, String>> configs = new HashMap<>();

    FakeClusterImage copy() {
        FakeClusterImage copy = new FakeClusterImage();
        copy.offset = offset + 1;
        copy.metadata = metadata;
        copy.nodes.putAll(nodes);
        copy.topics.putAll(topics);
        copy.streams.putAll(streams);
        copy.configs.putAll(configs);
        return copy;
    }

    static String configKey(byte resourceType, String resourceName) {
        return resourceType + "/" + resourceName;
    }

    @Override
    public long offset() {
        return offset;
    }

    @Override
    public String clusterId() {
        return "fake-cluster";
    }

    @Override
    public int controllerId() {
        return nodes.isEmpty() ? -1 : nodes.keySet().iterator().next();
    }

    @Override
    public Collection<NodeState> nodes() {
        return nodes.values();
    }

    @Override
    public Optional<NodeState> node(int nodeId) {
        return Optional.ofNullable(nodes.get(nodeId));
    }

    @Override
    public Collection<TopicState> topics() {
        return topics.values();
    }

    @Override
    public Optional<TopicState> topic(String name) {
        return Optional.ofNullable(topics.get(name));
    }

    @Override
    public Optional<TopicState> topic(Uuid topicId) {
        return topics.values().stream()
                .filter(topic -> topic.topicId().equals(topicId))
                .findFirst();
    }

    @Override
    public Optional<StreamState> stream(long streamId) {
        return Optional.ofNullable(streams.get(streamId));
    }

    @Override
    public Collection<StreamState> streams() {
        return streams.values();
    }

    @Override
    public Optional<ExtentState> extent(long extentId) {
        return Optional.empty();
    }

    @Override
    public Collection<ExtentState> extents() {
        return List.of();
    }

    @Override
    public Optional<ObjectState> object(long objectId) {
        return Optional.empty();
    }

    @Override
    public Collection<ObjectState> objects() {
        return List.of();
    }

    @Override
    public Map<String, String> configs(byte resourceType, String resourceName) {
        return configs.getOrDefault(configKey(resourceType, resourceName), Map.of());
    }

    @Override
    public MetadataImage metadata() {
        return metadata;
    }
}
