package io.catchment.broker.testing;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import io.catchment.objectstore.Manifest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.image.MetadataImage;
import org.jspecify.annotations.Nullable;

/** Another image (topics, nodes), with catalogs and log starts of streams and the objects they point into laid over it. Immutable. */
public final class CatalogImage implements ClusterImage {
    /** Length of each extent that is sealed. */
    public static final long EXTENT_BYTES = 100;

    private final ClusterImage base;
    private final TreeMap<Long, StreamState> streams;
    private final TreeMap<Long, ObjectState> objects;
    private final TreeMap<Long, ExtentState> extents;

    private CatalogImage(
            ClusterImage base,
            TreeMap<Long, StreamState> streams,
            TreeMap<Long, ObjectState> objects,
            TreeMap<Long, ExtentState> extents) {
        this.base = base;
        this.streams = streams;
        this.objects = objects;
        this.extents = extents;
    }

    public static CatalogImage over(ClusterImage base) {
        return new CatalogImage(base, new TreeMap<>(), new TreeMap<>(), new TreeMap<>());
    }

    /** No topics, no nodes: only streams. */
    public static CatalogImage empty() {
        return over(new FakeControlPlane().image());
    }

    public CatalogImage withStream(long streamId) {
        TreeMap<Long, StreamState> changed = new TreeMap<>(streams);
        changed.put(
                streamId,
                new StreamState(
                        streamId, Uuid.randomUuid(), "topic-" + streamId, 0, 1, 1, 0, List.of(), 0, List.of(), null));
        return new CatalogImage(base, changed, objects, extents);
    }

    /** The range is published in an object of its own. */
    public CatalogImage published(long streamId, long objectId, List<byte[]> batches) {
        int bytes = batches.stream().mapToInt(batch -> batch.length).sum();
        long maxTime =
                batches.stream().mapToLong(TestBatches::maxTimestamp).max().orElseThrow();
        StreamRange range = new StreamRange(
                TestBatches.baseOffset(batches.get(0)),
                TestBatches.endOffset(batches.get(batches.size() - 1)),
                objectId,
                0,
                bytes,
                maxTime,
                maxTime);
        CatalogImage changed = changed(streamId, state -> {
            List<StreamRange> catalog = new java.util.ArrayList<>(state.catalog());
            catalog.add(range);
            return with(state, state.logStartOffset(), catalog);
        });
        TreeMap<Long, ObjectState> more = new TreeMap<>(objects);
        more.put(objectId, new ObjectState(objectId, bytes, 1, ObjectState.Phase.PUBLISHED, 0, 0));
        return new CatalogImage(base, changed.streams, more, extents);
    }

    /** The first ranges of the stream's catalog are in a manifest, which is put among the objects. */
    public CatalogImage listed(long streamId, long manifestId, int count, MemoryObjects store) {
        List<StreamRange> catalog = stream(streamId).orElseThrow().catalog();
        List<OwnedRange> owned = new ArrayList<>();
        List<Manifest.Entry> entries = new ArrayList<>();
        TreeMap<Long, ObjectState> left = new TreeMap<>(objects);
        for (StreamRange range : catalog.subList(0, count)) {
            long bytes = Objects.requireNonNull(left.remove(range.objectId())).bytes();
            owned.add(new OwnedRange(range, bytes));
            entries.add(new Manifest.Entry(
                    range.baseOffset(),
                    range.endOffset(),
                    range.objectId(),
                    bytes,
                    range.position(),
                    range.length(),
                    range.maxEventTimeMs(),
                    range.maxAppendTimeMs()));
        }
        store.manifest(manifestId, new Manifest(streamId, entries));
        left.put(manifestId, new ObjectState(manifestId, 96, 1, ObjectState.Phase.PUBLISHED, 0, 0));
        CatalogImage changed = changed(streamId, state -> {
            List<ManifestRef> manifests = new ArrayList<>(state.manifests());
            manifests.add(ManifestRef.of(manifestId, owned));
            return with(
                    state,
                    state.logStartOffset(),
                    manifests,
                    catalog.subList(count, catalog.size()),
                    state.checkpoint());
        });
        return new CatalogImage(base, changed.streams, left, extents);
    }

    /** A broken catalog: what points into the object stays. */
    public CatalogImage withoutObject(long objectId) {
        TreeMap<Long, ObjectState> fewer = new TreeMap<>(objects);
        fewer.remove(objectId);
        return new CatalogImage(base, streams, fewer, extents);
    }

    /** The stream's checkpoint as of the offset is the whole of an object of its own. */
    public CatalogImage checkpoint(long streamId, long objectId, long offset, int length) {
        CatalogImage changed = changed(
                streamId,
                state -> with(
                        state,
                        state.logStartOffset(),
                        state.catalog(),
                        new StreamState.Checkpoint(offset, objectId, 0, length, 0)));
        TreeMap<Long, ObjectState> more = new TreeMap<>(objects);
        more.put(objectId, new ObjectState(objectId, length, 1, ObjectState.Phase.PUBLISHED, 0, 0));
        return new CatalogImage(base, changed.streams, more, extents);
    }

    /** The checkpoint's frame is in a flushed extent, too. */
    public CatalogImage checkpoint(long streamId, long objectId, long offset, int length, long extentId) {
        CatalogImage changed = checkpoint(streamId, objectId, offset, length).extent(extentId, Phase.FLUSHED);
        return changed.changed(
                streamId,
                state -> with(
                        state,
                        state.logStartOffset(),
                        state.catalog(),
                        new StreamState.Checkpoint(offset, objectId, 0, length, extentId)));
    }

    public CatalogImage extent(long extentId, Phase phase) {
        TreeMap<Long, ExtentState> more = new TreeMap<>(extents);
        more.put(extentId, new ExtentState(extentId, 1, 1, 1, 1, List.of(), 1, phase, EXTENT_BYTES, List.of()));
        return new CatalogImage(base, streams, objects, more);
    }

    public CatalogImage extent(ExtentState extent) {
        TreeMap<Long, ExtentState> more = new TreeMap<>(extents);
        more.put(extent.extentId(), extent);
        return new CatalogImage(base, streams, objects, more);
    }

    /** An extent of R=A=2 that is open, or sealed with its usual length and all stores as holders. */
    public CatalogImage extent(long extentId, Phase phase, StreamState.Writer writer, ExtentState.Store... stores) {
        return extent(new ExtentState(
                extentId,
                writer.nodeId(),
                writer.nodeEpoch(),
                writer.nodeEpoch(),
                1,
                List.of(stores),
                stores.length,
                phase,
                phase == Phase.SEALED || phase == Phase.FLUSHED ? EXTENT_BYTES : -1,
                phase == Phase.SEALED || phase == Phase.FLUSHED ? List.of(stores) : List.of()));
    }

    /** It owns the stream, in its node's epoch, after these epochs and writers. */
    public CatalogImage owned(
            long streamId,
            StreamState.Writer owner,
            List<StreamState.EpochStart> starts,
            List<StreamState.Writer> writers,
            StreamState.@Nullable Handover handover) {
        return changed(
                streamId,
                state -> new StreamState(
                        state.streamId(),
                        state.topicId(),
                        state.topic(),
                        state.partition(),
                        owner.nodeId(),
                        owner.nodeEpoch(),
                        starts.isEmpty() ? 0 : starts.get(starts.size() - 1).epoch(),
                        starts,
                        state.logStartOffset(),
                        state.manifests(),
                        state.catalog(),
                        state.checkpoint(),
                        owner.nodeId(),
                        false,
                        -1,
                        writers,
                        handover,
                        state.cleanedTo()));
    }

    /** All that is published of the stream is compacted into this object. */
    public CatalogImage compacted(long streamId, long objectId, List<byte[]> batches) {
        CatalogImage published = published(streamId, objectId, batches);
        return published.changed(streamId, state -> {
            List<StreamRange> catalog = state.catalog();
            StreamRange last = catalog.get(catalog.size() - 1);
            StreamRange whole = new StreamRange(
                    catalog.get(0).baseOffset(),
                    last.endOffset(),
                    objectId,
                    0,
                    last.length(),
                    last.maxEventTimeMs(),
                    last.maxAppendTimeMs());
            return with(state, List.of(whole), last.endOffset());
        });
    }

    public CatalogImage logStart(long streamId, long offset) {
        return changed(streamId, state -> with(state, offset, state.catalog()));
    }

    public CatalogImage withoutStream(long streamId) {
        TreeMap<Long, StreamState> changed = new TreeMap<>(streams);
        changed.remove(streamId);
        return new CatalogImage(base, changed, objects, extents);
    }

    private CatalogImage changed(long streamId, UnaryOperator<StreamState> change) {
        TreeMap<Long, StreamState> changed = new TreeMap<>(streams);
        changed.put(streamId, change.apply(stream(streamId).orElseThrow()));
        return new CatalogImage(base, changed, objects, extents);
    }

    private static StreamState with(StreamState state, List<StreamRange> catalog, long cleanedTo) {
        return new StreamState(
                state.streamId(),
                state.topicId(),
                state.topic(),
                state.partition(),
                state.ownerNodeId(),
                state.ownerNodeEpoch(),
                state.epoch(),
                state.epochStarts(),
                state.logStartOffset(),
                state.manifests(),
                catalog,
                state.checkpoint(),
                state.preferredNodeId(),
                state.pinned(),
                state.targetNodeId(),
                state.writers(),
                state.handover(),
                cleanedTo);
    }

    private static StreamState with(StreamState state, long logStart, List<StreamRange> catalog) {
        return with(state, logStart, catalog, state.checkpoint());
    }

    private static StreamState with(
            StreamState state, long logStart, List<StreamRange> catalog, StreamState.@Nullable Checkpoint checkpoint) {
        return with(state, logStart, state.manifests(), catalog, checkpoint);
    }

    private static StreamState with(
            StreamState state,
            long logStart,
            List<ManifestRef> manifests,
            List<StreamRange> catalog,
            StreamState.@Nullable Checkpoint checkpoint) {
        return new StreamState(
                state.streamId(),
                state.topicId(),
                state.topic(),
                state.partition(),
                state.ownerNodeId(),
                state.ownerNodeEpoch(),
                state.epoch(),
                state.epochStarts(),
                logStart,
                manifests,
                catalog,
                checkpoint,
                state.preferredNodeId(),
                state.pinned(),
                state.targetNodeId(),
                state.writers(),
                state.handover(),
                state.cleanedTo());
    }

    @Override
    public Optional<StreamState> stream(long streamId) {
        StreamState own = streams.get(streamId);
        return own == null ? base.stream(streamId) : Optional.of(own);
    }

    @Override
    public Optional<ObjectState> object(long objectId) {
        return Optional.ofNullable(objects.get(objectId));
    }

    @Override
    public Collection<StreamState> streams() {
        return streams.values();
    }

    @Override
    public Collection<ObjectState> objects() {
        return objects.values();
    }

    @Override
    public long offset() {
        return base.offset();
    }

    @Override
    public String clusterId() {
        return base.clusterId();
    }

    @Override
    public int controllerId() {
        return base.controllerId();
    }

    @Override
    public Collection<NodeState> nodes() {
        return base.nodes();
    }

    @Override
    public Optional<NodeState> node(int nodeId) {
        return base.node(nodeId);
    }

    @Override
    public Collection<TopicState> topics() {
        return base.topics();
    }

    @Override
    public Optional<TopicState> topic(String name) {
        return base.topic(name);
    }

    @Override
    public Optional<TopicState> topic(Uuid topicId) {
        return base.topic(topicId);
    }

    @Override
    public Optional<ExtentState> extent(long extentId) {
        ExtentState own = extents.get(extentId);
        return own == null ? base.extent(extentId) : Optional.of(own);
    }

    @Override
    public Collection<ExtentState> extents() {
        TreeMap<Long, ExtentState> all = new TreeMap<>(extents);
        base.extents().forEach(extent -> all.putIfAbsent(extent.extentId(), extent));
        return all.values();
    }

    @Override
    public Map<String, String> configs(byte resourceType, String resourceName) {
        return base.configs(resourceType, resourceName);
    }

    @Override
    public MetadataImage metadata() {
        return base.metadata();
    }
}
