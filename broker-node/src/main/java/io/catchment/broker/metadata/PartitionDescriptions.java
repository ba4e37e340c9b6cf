package io.catchment.broker.metadata;

import io.catchment.broker.leader.Leader;
import io.catchment.broker.near.NearNodes;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponsePartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.MetadataResponse;
import org.jspecify.annotations.Nullable;

/**
 * Each topic's partitions in the form that Metadata answers, kept per listener until an owner, an epoch, a node or the topic
 * changes, so that a thousand partitions asked for again cost a look-up. Thread-safe; the lists handed out are immutable and
 * their elements must not be changed.
 *
 * <p>A partition has one replica, its owner; whether that is named as its leader {@link Leader} says. Publishing ranges changes a stream's state all the time but not its owner, so
 * a change heard of is compared before it counts.
 */
final class PartitionDescriptions {
    private final ControlPlane controlPlane;
    private final boolean nearReads;
    private final Map<String, ConcurrentHashMap<String, Described>> byListener = new ConcurrentHashMap<>();
    /** The newest image the listener thread has begun to compare. */
    private volatile @Nullable ClusterImage heard;

    private PartitionDescriptions(ControlPlane controlPlane, boolean nearReads) {
        this.controlPlane = controlPlane;
        this.nearReads = nearReads;
    }

    /**
     * Listens to the control plane for as long as that lives.
     *
     * @param nearReads nodes in other zones that read a partition are told as its replicas: a consumer goes to no others (KIP-392)
     */
    static PartitionDescriptions of(ControlPlane controlPlane, boolean nearReads) {
        PartitionDescriptions descriptions = new PartitionDescriptions(controlPlane, nearReads);
        controlPlane.subscribe(descriptions::changed);
        return descriptions;
    }

    /** By partition, as versions 6 and above are told. */
    List<MetadataResponsePartition> of(TopicState topic, String listener) {
        ConcurrentHashMap<String, Described> topics =
                byListener.computeIfAbsent(listener, name -> new ConcurrentHashMap<>());
        Described known = topics.get(topic.name());
        if (known != null && known.topic.equals(topic)) {
            return known.partitions;
        }
        ClusterImage before = heard;
        ClusterImage image = controlPlane.image();
        List<MetadataResponsePartition> partitions = describe(image, topic, listener);
        if (nearReads) {
            partitions.forEach(partition -> addNearNodes(image, topic, partition, listener));
        }
        Described described = new Described(topic, partitions);
        topics.put(topic.name(), described);
        if (heard != before) {
            // The change may have been compared before the entry was there; whoever asks next describes anew.
            topics.remove(topic.name(), described);
        }
        return partitions;
    }

    private static void addNearNodes(
            ClusterImage image, TopicState topic, MetadataResponsePartition partition, String listener) {
        StreamState stream =
                image.stream(topic.streams().get(partition.partitionIndex())).orElse(null);
        if (stream == null || partition.leaderId() == MetadataResponse.NO_LEADER_ID) {
            return;
        }
        List<Integer> readers = new ArrayList<>();
        readers.add(partition.leaderId());
        readers.addAll(NearNodes.of(image, stream, listener));
        partition.setReplicaNodes(List.copyOf(readers)).setIsrNodes(List.copyOf(readers));
    }

    static List<MetadataResponsePartition> describe(ClusterImage image, TopicState topic, String listener) {
        List<MetadataResponsePartition> partitions =
                new ArrayList<>(topic.streams().size());
        for (int partition = 0; partition < topic.streams().size(); partition++) {
            partitions.add(describe(image, topic, partition, listener));
        }
        return List.copyOf(partitions);
    }

    static MetadataResponsePartition describe(ClusterImage image, TopicState topic, int partition, String listener) {
        StreamState stream = image.stream(topic.streams().get(partition)).orElse(null);
        MetadataResponsePartition description = new MetadataResponsePartition().setPartitionIndex(partition);
        int owner = stream == null ? -1 : stream.ownerNodeId();
        if (stream == null || owner < 0) {
            return description
                    .setErrorCode(Errors.LEADER_NOT_AVAILABLE.code())
                    .setLeaderId(MetadataResponse.NO_LEADER_ID)
                    .setLeaderEpoch(stream == null ? -1 : stream.epoch());
        }
        List<Integer> replicas = List.of(owner);
        description.setLeaderEpoch(stream.epoch()).setReplicaNodes(replicas).setIsrNodes(replicas);
        NodeState node = image.node(owner).orElse(null);
        if (node == null || node.fenced()) {
            return description
                    .setErrorCode(Errors.LEADER_NOT_AVAILABLE.code())
                    .setLeaderId(MetadataResponse.NO_LEADER_ID)
                    .setOfflineReplicas(replicas);
        }
        if (!Leader.isNamed(stream, node)) {
            return description
                    .setErrorCode(Errors.LEADER_NOT_AVAILABLE.code())
                    .setLeaderId(MetadataResponse.NO_LEADER_ID);
        }
        if (!Brokers.reachable(node, listener)) {
            return description
                    .setErrorCode(Errors.LISTENER_NOT_FOUND.code())
                    .setLeaderId(MetadataResponse.NO_LEADER_ID)
                    .setOfflineReplicas(replicas);
        }
        return description.setErrorCode(Errors.NONE.code()).setLeaderId(owner);
    }

    private void changed(ImageDelta delta, ClusterImage image) {
        heard = image;
        for (ConcurrentHashMap<String, Described> topics : byListener.values()) {
            if (delta.nodesChanged()) {
                topics.clear();
                continue;
            }
            if (delta.topicsChanged()) {
                topics.values().removeIf(described -> image.topic(described.topic.name())
                        .filter(described.topic::equals)
                        .isEmpty());
            }
            for (long streamId : delta.streams()) {
                image.stream(streamId)
                        .ifPresent(stream -> topics.computeIfPresent(
                                stream.topic(), (name, described) -> described.stillSaysOf(stream) ? described : null));
            }
        }
    }

    private record Described(TopicState topic, List<MetadataResponsePartition> partitions) {

        boolean stillSaysOf(StreamState stream) {
            if (stream.partition() >= partitions.size()) {
                return false;
            }
            MetadataResponsePartition partition = partitions.get(stream.partition());
            List<Integer> replicas = partition.replicaNodes();
            return partition.leaderEpoch() == stream.epoch()
                    && (replicas.isEmpty() ? -1 : replicas.get(0)) == stream.ownerNodeId();
        }
    }
}
