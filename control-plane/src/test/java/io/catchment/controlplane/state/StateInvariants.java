package io.catchment.controlplane.state;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.metadata.PartitionRegistration;

/** What must hold in each state, whatever led to it. */
public final class StateInvariants {
    private StateInvariants() {}

    public static void check(ClusterState state, MetadataImage metadata) {
        checkStreams(state, metadata);
        checkObjects(state);
        Map<ConfigResource, Map<String, String>> configs = new HashMap<>();
        metadata.configs().resourceData().forEach((resource, image) -> configs.put(resource, image.toMap()));
        Map<ConfigResource, Map<String, String>> own = new HashMap<>();
        state.configs().forEach((resource, values) -> own.put(resource, Map.copyOf(values)));
        assertThat(configs).isEqualTo(own);
        assertThat(metadata.topics().topicsById()).hasSize(state.topics().size());
        Map<String, Short> features = new HashMap<>(metadata.features().finalizedVersions());
        metadata.features()
                .metadataVersion()
                .ifPresent(version -> features.put("metadata.version", version.featureLevel()));
        assertThat(features).isEqualTo(Map.copyOf(state.features()));
        state.nodes().values().forEach(node -> assertThat(node.epoch()).isLessThan(state.nextEpoch()));
        state.extents().keySet().forEach(id -> assertThat(id).isLessThan(state.nextExtentId()));
        state.extents().values().forEach(extent -> checkExtent(state, extent));
        checkTasks(state);
    }

    private static void checkStreams(ClusterState state, MetadataImage metadata) {
        Map<Integer, Integer> owned = new HashMap<>();
        int streams = 0;
        for (TopicState topic : state.topics().values()) {
            assertThat(state.topic(topic.topicId())).contains(topic);
            for (int partition = 0; partition < topic.streams().size(); partition++) {
                StreamState stream = Objects.requireNonNull(
                        state.streams().get(topic.streams().get(partition)));
                assertThat(stream.partition()).isEqualTo(partition);
                assertThat(stream.topicId()).isEqualTo(topic.topicId());
                assertThat(stream.streamId()).isLessThan(state.nextStreamId());
                PartitionRegistration kafka = metadata.topics().getPartition(topic.topicId(), partition);
                assertThat(kafka.leader).isEqualTo(stream.ownerNodeId());
                assertThat(kafka.leaderEpoch).isEqualTo(stream.epoch());
                owned.merge(stream.ownerNodeId(), 1, Integer::sum);
                checkCatalog(stream);
                checkOwner(state, stream);
                streams++;
            }
        }
        assertThat(state.streams()).hasSize(streams);
        assertThat(state.streams().keySet()).containsAll(state.moving()).containsAll(state.away());
        assertThat(Map.copyOf(state.owned())).isEqualTo(owned);
    }

    /** C8: what is open has a writer that may write; what a dead writer left open is being recovered. */
    private static void checkExtent(ClusterState state, ExtentState extent) {
        assertThat(extent.epoch()).isLessThan(state.nextEpoch());
        assertThat(extent.recoverer() == null || extent.phase() == ExtentState.Phase.RECOVERING)
                .isTrue();
        switch (extent.phase()) {
            case OPEN ->
                assertThat(state.isCurrent(extent.writerNodeId(), extent.writerEpoch()))
                        .as("writer of %s", extent)
                        .isTrue();
            case RECOVERING -> {
                assertThat(state.isCurrent(extent.writerNodeId(), extent.writerEpoch()))
                        .isFalse();
                assertThat(extent.epoch()).isGreaterThan(extent.writerEpoch());
            }
            case SEALED, FLUSHED -> {
                assertThat(extent.length()).isNotNegative();
                assertThat(extent.holders()).isNotEmpty();
            }
        }
    }

    private static void checkTasks(ClusterState state) {
        state.tasks().forEach((key, task) -> {
            assertThat(ClusterState.TaskKey.of(task)).isEqualTo(key);
            ExtentState extent = state.extents().get(task.extentId());
            assertThat(extent).as("extent of %s", task).isNotNull();
            assertThat(Objects.requireNonNull(extent).phase()).isEqualTo(ExtentState.Phase.SEALED);
        });
    }

    private static void checkOwner(ClusterState state, StreamState stream) {
        assertThat(state.moving().contains(stream.streamId()))
                .isEqualTo(stream.targetNodeId() != ClusterState.NO_OWNER);
        assertThat(state.away().contains(stream.streamId()))
                .isEqualTo(stream.preferredNodeId() != stream.ownerNodeId());
        assertThat(stream.ownerNodeEpoch()).isLessThan(state.nextEpoch());
        if (stream.ownerNodeEpoch() >= 0) {
            assertThat(stream.writers())
                    .contains(new StreamState.Writer(stream.ownerNodeId(), stream.ownerNodeEpoch()));
        }
        assertThat(stream.writers()).doesNotHaveDuplicates();
    }

    /** O2: contiguous and ascending; epochs ascend in number and start. */
    private static void checkCatalog(StreamState stream) {
        if (!stream.manifests().isEmpty()) {
            checkManifests(stream);
        } else if (!stream.catalog().isEmpty()) {
            StreamRange first = stream.catalog().get(0);
            assertThat(first.baseOffset()).isLessThanOrEqualTo(stream.logStartOffset());
            assertThat(first.endOffset()).isGreaterThan(stream.logStartOffset());
        }
        long end = stream.catalog().isEmpty() ? 0 : stream.catalog().get(0).baseOffset();
        for (StreamRange range : stream.catalog()) {
            assertThat(range.baseOffset()).isEqualTo(end);
            assertThat(range.endOffset()).isGreaterThan(end);
            end = range.endOffset();
        }
        for (int i = 1; i < stream.epochStarts().size(); i++) {
            assertThat(stream.epochStarts().get(i).epoch())
                    .isGreaterThan(stream.epochStarts().get(i - 1).epoch());
            assertThat(stream.epochStarts().get(i).startOffset())
                    .isGreaterThan(stream.epochStarts().get(i - 1).startOffset());
        }
    }

    /** They come before the catalog, which is not empty then, without a gap; none of them is wholly before the log's start. */
    private static void checkManifests(StreamState stream) {
        ManifestRef first = stream.manifests().get(0);
        assertThat(first.baseOffset()).isLessThanOrEqualTo(stream.logStartOffset());
        assertThat(first.endOffset()).isGreaterThan(stream.logStartOffset());
        long end = first.baseOffset();
        for (ManifestRef manifest : stream.manifests()) {
            assertThat(manifest.baseOffset()).isEqualTo(end);
            assertThat(manifest.endOffset()).isGreaterThan(end);
            assertThat(manifest.ranges()).isPositive();
            assertThat(manifest.bytes()).isGreaterThanOrEqualTo(manifest.ranges());
            end = manifest.endOffset();
        }
        assertThat(stream.catalog()).isNotEmpty();
        assertThat(stream.catalog().get(0).baseOffset()).isEqualTo(end);
    }

    /** O3: referenced, prepared or doomed; and the counts are the pointers. */
    private static void checkObjects(ClusterState state) {
        Map<Long, Integer> references = new HashMap<>();
        state.retired().forEach((id, manifest) -> {
            assertThat(manifest.objectId()).isEqualTo(id);
            references.merge(id, 1, Integer::sum);
        });
        for (StreamState stream : state.streams().values()) {
            stream.manifests().forEach(manifest -> references.merge(manifest.objectId(), 1, Integer::sum));
            stream.catalog().forEach(range -> references.merge(range.objectId(), 1, Integer::sum));
            StreamState.Checkpoint checkpoint = stream.checkpoint();
            if (checkpoint != null) {
                references.merge(checkpoint.objectId(), 1, Integer::sum);
            }
        }
        TreeSet<Long> prepared = new TreeSet<>();
        for (ObjectState object : state.objects().values()) {
            assertThat(object.references()).isEqualTo(references.getOrDefault(object.objectId(), 0));
            assertThat(object.references() > 0).isEqualTo(object.phase() == ObjectState.Phase.PUBLISHED);
            assertThat(object.objectId()).isLessThan(state.nextObjectId());
            if (object.phase() == ObjectState.Phase.PREPARED) {
                prepared.add(object.objectId());
            }
        }
        assertThat(state.objects().keySet()).containsAll(references.keySet());
        assertThat(new TreeSet<>(state.prepared())).isEqualTo(prepared);
    }
}
