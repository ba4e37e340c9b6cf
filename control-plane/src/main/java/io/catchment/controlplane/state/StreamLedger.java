package io.catchment.controlplane.state;

import static io.catchment.controlplane.state.ClusterState.NO_OWNER;

import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.StreamState.Checkpoint;
import io.catchment.controlplane.StreamState.EpochStart;
import io.catchment.controlplane.StreamState.Handover;
import io.catchment.controlplane.StreamState.Writer;
import io.catchment.controlplane.TopicState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.server.immutable.ImmutableMap;
import org.apache.kafka.server.immutable.ImmutableNavigableSet;
import org.jspecify.annotations.Nullable;

/** Topics and their streams while records are replayed; owned by one {@link StateBuilder}. */
final class StreamLedger {
    private final ChangeListener changes;
    private final ObjectLedger objects;
    private ImmutableMap<String, TopicState> topics;
    private ImmutableMap<Uuid, String> topicNames;
    private ImmutableMap<String, String> collidingNames;
    private ImmutableMap<Long, StreamState> streams;
    private ImmutableMap<Long, ManifestRef> retired;
    private ImmutableMap<Integer, Integer> owned;
    private ImmutableNavigableSet<Long> moving;
    private ImmutableNavigableSet<Long> away;
    private long nextStreamId;

    /** Stream ids of topics that get partitions one by one (from a snapshot), until {@link #settle}. */
    private final Map<String, List<Long>> growing = new HashMap<>();

    StreamLedger(ClusterState base, ObjectLedger objects, ChangeListener changes) {
        this.changes = changes;
        this.objects = objects;
        topics = base.topics();
        topicNames = base.topicNames();
        collidingNames = base.collidingNames();
        streams = base.streams();
        retired = base.retired();
        owned = base.owned();
        moving = base.moving();
        away = base.away();
        nextStreamId = base.nextStreamId();
    }

    ImmutableMap<String, TopicState> topics() {
        return topics;
    }

    ImmutableMap<Uuid, String> topicNames() {
        return topicNames;
    }

    ImmutableMap<String, String> collidingNames() {
        return collidingNames;
    }

    ImmutableMap<Long, StreamState> streams() {
        return streams;
    }

    ImmutableMap<Long, ManifestRef> retired() {
        return retired;
    }

    ImmutableMap<Integer, Integer> owned() {
        return owned;
    }

    ImmutableNavigableSet<Long> moving() {
        return moving;
    }

    ImmutableNavigableSet<Long> away() {
        return away;
    }

    long nextStreamId() {
        return nextStreamId;
    }

    void nextStreamId(long value) {
        nextStreamId = value;
    }

    void createTopic(String name, Uuid topicId) {
        if (topics.containsKey(name)) {
            throw new IllegalStateException("topic " + name + " is created twice");
        }
        topics = topics.updated(name, new TopicState(topicId, name, List.of()));
        topicNames = topicNames.updated(topicId, name);
        if (Topic.hasCollisionChars(name)) {
            collidingNames = collidingNames.updated(Topic.unifyCollisionChars(name), name);
        }
        changes.topics();
    }

    void createStreams(Uuid topicId, int firstPartition, long firstStreamId, List<Integer> owners, boolean pinned) {
        TopicState topic = topic(topicId);
        List<Long> ids = new ArrayList<>(topic.streams());
        if (ids.size() != firstPartition) {
            throw new IllegalStateException("topic " + topic.name() + " has " + ids.size() + " partitions, partition "
                    + firstPartition + " is created");
        }
        for (int i = 0; i < owners.size(); i++) {
            long streamId = firstStreamId + i;
            ids.add(streamId);
            put(new StreamState(
                    streamId,
                    topicId,
                    topic.name(),
                    firstPartition + i,
                    owners.get(i),
                    -1,
                    0,
                    List.of(),
                    0,
                    List.of(),
                    RangeList.EMPTY,
                    null,
                    owners.get(i),
                    pinned,
                    NO_OWNER,
                    List.of(),
                    null,
                    0));
        }
        nextStreamId = Math.max(nextStreamId, firstStreamId + owners.size());
        topics = topics.updated(topic.name(), new TopicState(topicId, topic.name(), ids));
        changes.topics();
    }

    /**
     * The next epoch starts at the offset. Entries that start at or past it are of epochs without data: they go, as in Kafka.
     *
     * @param unflushed the writers that still matter: others are forgotten
     */
    void open(long streamId, long nodeEpoch, long startOffset, Set<Writer> unflushed) {
        StreamState old = stream(streamId);
        start(old, old.ownerNodeId(), nodeEpoch, startOffset, null, unflushed);
    }

    /** The owner hands it over: as {@link #open}, at the new owner. */
    void resign(long streamId, int owner, long ownerEpoch, Handover handover, Set<Writer> unflushed) {
        start(stream(streamId), owner, ownerEpoch, handover.endOffset(), handover, unflushed);
    }

    private void start(
            StreamState old,
            int owner,
            long ownerEpoch,
            long startOffset,
            @Nullable Handover handover,
            Set<Writer> unflushed) {
        int epoch = old.epoch() + 1;
        List<EpochStart> starts = new ArrayList<>(old.epochStarts());
        starts.removeIf(start -> start.startOffset() >= startOffset);
        starts.add(new EpochStart(epoch, startOffset));
        Writer writer = new Writer(owner, ownerEpoch);
        List<Writer> writers = new ArrayList<>(old.writers());
        writers.removeIf(each -> each.equals(writer) || !unflushed.contains(each));
        writers.add(writer);
        boolean arrived = handover != null || old.targetNodeId() == owner;
        put(replaceOwner(
                old,
                owner,
                ownerEpoch,
                epoch,
                List.copyOf(starts),
                arrived ? NO_OWNER : old.targetNodeId(),
                List.copyOf(writers),
                handover));
    }

    /** The former owner is gone or never was: the new one opens it. */
    void assign(long streamId, int owner) {
        StreamState old = stream(streamId);
        put(replaceOwner(old, owner, -1, old.epoch() + 1, old.epochStarts(), NO_OWNER, old.writers(), null));
    }

    void target(long streamId, int target, int preferred, boolean pinned) {
        StreamState old = stream(streamId);
        put(new StreamState(
                old.streamId(),
                old.topicId(),
                old.topic(),
                old.partition(),
                old.ownerNodeId(),
                old.ownerNodeEpoch(),
                old.epoch(),
                old.epochStarts(),
                old.logStartOffset(),
                old.manifests(),
                old.catalog(),
                old.checkpoint(),
                preferred == NO_OWNER ? old.preferredNodeId() : preferred,
                pinned,
                target,
                old.writers(),
                old.handover(),
                old.cleanedTo()));
    }

    private static StreamState replaceOwner(
            StreamState old,
            int owner,
            long ownerEpoch,
            int epoch,
            List<EpochStart> starts,
            int target,
            List<Writer> writers,
            @Nullable Handover handover) {
        return new StreamState(
                old.streamId(),
                old.topicId(),
                old.topic(),
                old.partition(),
                owner,
                ownerEpoch,
                epoch,
                starts,
                old.logStartOffset(),
                old.manifests(),
                old.catalog(),
                old.checkpoint(),
                old.preferredNodeId() == NO_OWNER ? owner : old.preferredNodeId(),
                old.pinned(),
                target,
                writers,
                handover,
                old.cleanedTo());
    }

    /** The range's object has the reference already when {@code countReference} is false (in a snapshot). */
    void append(long streamId, StreamRange range, boolean countReference) {
        StreamState old = stream(streamId);
        if (old.catalogEndOffset() != range.baseOffset() && !old.catalog().isEmpty()) {
            throw new IllegalStateException(
                    "stream " + streamId + ": range " + range + " after the catalog's end " + old.catalogEndOffset());
        }
        if (countReference) {
            objects.addReference(range.objectId());
        }
        replaceData(old, ((RangeList) old.catalog()).plus(range), old.checkpoint());
    }

    /** The newer checkpoint stays; the other one's reference is dropped, so the object is doomed if it was the last. */
    void checkpoint(long streamId, Checkpoint checkpoint, long atMs) {
        StreamState old = stream(streamId);
        @Nullable Checkpoint before = old.checkpoint();
        if (before != null && before.offset() > checkpoint.offset()) {
            return;
        }
        objects.addReference(checkpoint.objectId());
        replaceData(old, old.catalog(), checkpoint);
        if (before != null) {
            objects.dropReference(before.objectId(), atMs);
        }
    }

    /** Nothing at or after the offset is left: what an epoch says that began later is of records that are lost, and so is a later checkpoint. */
    void shorten(long streamId, long endOffset, long atMs) {
        StreamState old = stream(streamId);
        List<EpochStart> starts = old.epochStarts().stream()
                .filter(start -> start.startOffset() <= endOffset)
                .toList();
        @Nullable Checkpoint before = old.checkpoint();
        @Nullable Checkpoint left = before != null && before.offset() > endOffset ? null : before;
        replaceData(old, starts, old.logStartOffset(), old.manifests(), old.catalog(), left, old.cleanedTo());
        if (before != null && left == null) {
            objects.dropReference(before.objectId(), atMs);
        }
    }

    /** Ranges that end at the offset or before go; one that goes on past it stays whole. Epochs without offsets left go as well, as in Kafka. */
    void trim(long streamId, long logStartOffset, long atMs) {
        StreamState old = stream(streamId);
        RangeList catalog = (RangeList) old.catalog();
        int gone = 0;
        while (gone < catalog.size() && catalog.get(gone).endOffset() <= logStartOffset) {
            objects.dropReference(catalog.get(gone).objectId(), atMs);
            gone++;
        }
        List<ManifestRef> manifests = new ArrayList<>();
        for (ManifestRef manifest : old.manifests()) {
            if (manifest.endOffset() <= logStartOffset) {
                retire(manifest);
            } else {
                manifests.add(manifest);
            }
        }
        replaceData(
                old,
                epochsFrom(old.epochStarts(), logStartOffset),
                logStartOffset,
                List.copyOf(manifests),
                catalog.withoutFirst(gone),
                old.checkpoint(),
                old.cleanedTo());
    }

    /** Nobody needs its ranges. It keeps its reference, and its objects, until somebody has read which these are. */
    private void retire(ManifestRef manifest) {
        retired = retired.updated(manifest.objectId(), manifest);
        changes.object(manifest.objectId());
    }

    /** Sets it as a snapshot has it. */
    void loadRetired(ManifestRef manifest) {
        retired = retired.updated(manifest.objectId(), manifest);
    }

    /**
     * The manifest lists the first ranges of the catalog now, behind those of the newest one there was if it takes its place: their objects
     * are its own, and leave the state.
     */
    void moveToManifest(long streamId, ManifestRef manifest, boolean replacesNewest, int taken, long atMs) {
        StreamState old = stream(streamId);
        objects.addReference(manifest.objectId());
        List<ManifestRef> manifests = new ArrayList<>(old.manifests());
        if (replacesNewest) {
            objects.dropReference(manifests.remove(manifests.size() - 1).objectId(), atMs);
        }
        manifests.add(manifest);
        RangeList catalog = (RangeList) old.catalog();
        if (taken >= catalog.size() || catalog.get(taken).baseOffset() != manifest.endOffset()) {
            throw new IllegalStateException("stream " + streamId + ": " + manifest + " cannot take " + taken + " of "
                    + catalog.size() + " ranges");
        }
        for (StreamRange range : catalog.subList(0, taken)) {
            objects.own(range.objectId());
        }
        replaceData(
                old,
                old.epochStarts(),
                old.logStartOffset(),
                List.copyOf(manifests),
                catalog.withoutFirst(taken),
                old.checkpoint(),
                old.cleanedTo());
    }

    /** The stream's manifest has lost its first ranges. */
    void release(long streamId, ManifestRef remaining) {
        StreamState old = stream(streamId);
        List<ManifestRef> manifests = new ArrayList<>(old.manifests());
        manifests.replaceAll(each -> each.objectId() == remaining.objectId() ? remaining : each);
        replaceData(
                old,
                old.epochStarts(),
                old.logStartOffset(),
                List.copyOf(manifests),
                old.catalog(),
                old.checkpoint(),
                old.cleanedTo());
    }

    /** All its ranges are released. */
    void forgetRetired(long manifestId, long atMs) {
        if (!retired.containsKey(manifestId)) {
            throw new IllegalStateException("manifest " + manifestId + " is not retired");
        }
        retired = retired.removed(manifestId);
        objects.dropReference(manifestId, atMs);
    }

    /** The range takes the place of so many from its base offset on; key compaction has then seen all keys below {@code cleanedTo}, if that is news. */
    void merge(long streamId, StreamRange range, int inputs, long cleanedTo, long atMs) {
        StreamState old = stream(streamId);
        int first = old.rangeIndex(range.baseOffset());
        List<StreamRange> replaced = first < 0 ? List.of() : old.catalog().subList(first, first + inputs);
        if (replaced.isEmpty()
                || replaced.get(0).baseOffset() != range.baseOffset()
                || replaced.get(inputs - 1).endOffset() != range.endOffset()) {
            throw new IllegalStateException("stream " + streamId + ": " + range + " cannot replace " + replaced);
        }
        objects.addReference(range.objectId());
        replaceData(
                old,
                old.epochStarts(),
                old.logStartOffset(),
                old.manifests(),
                ((RangeList) old.catalog()).replaced(first, inputs, range),
                old.checkpoint(),
                Math.max(old.cleanedTo(), cleanedTo));
        for (StreamRange input : replaced) {
            objects.dropReference(input.objectId(), atMs);
        }
    }

    private static List<EpochStart> epochsFrom(List<EpochStart> starts, long logStartOffset) {
        List<EpochStart> kept = new ArrayList<>();
        for (int i = 0; i < starts.size(); i++) {
            boolean isLast = i == starts.size() - 1;
            if (isLast || starts.get(i + 1).startOffset() > logStartOffset) {
                EpochStart start = starts.get(i);
                kept.add(new EpochStart(start.epoch(), Math.max(start.startOffset(), logStartOffset)));
            }
        }
        return List.copyOf(kept);
    }

    void dropStreams(Uuid topicId, long atMs) {
        for (long streamId : topic(topicId).streams()) {
            StreamState old = stream(streamId);
            old.manifests().forEach(this::retire);
            for (StreamRange range : old.catalog()) {
                objects.dropReference(range.objectId(), atMs);
            }
            @Nullable Checkpoint checkpoint = old.checkpoint();
            if (checkpoint != null) {
                objects.dropReference(checkpoint.objectId(), atMs);
            }
            streams = streams.removed(streamId);
            moving = with(moving, streamId, false);
            away = with(away, streamId, false);
            count(old.ownerNodeId(), -1);
            changes.stream(streamId);
        }
    }

    String removeTopic(Uuid topicId) {
        TopicState topic = topic(topicId);
        topics = topics.removed(topic.name());
        topicNames = topicNames.removed(topicId);
        collidingNames = collidingNames.removed(Topic.unifyCollisionChars(topic.name()));
        changes.topics();
        return topic.name();
    }

    /** A stream as a snapshot has it, except for its ranges. */
    void load(StreamState stream) {
        growing.computeIfAbsent(stream.topic(), name -> new ArrayList<>()).add(stream.streamId());
        put(stream);
    }

    TopicState topic(Uuid topicId) {
        @Nullable String name = topicNames.get(topicId);
        @Nullable TopicState topic = name == null ? null : topics.get(name);
        if (topic == null) {
            throw new IllegalStateException("topic id " + topicId + " is not in the state");
        }
        return topic;
    }

    void settle() {
        growing.forEach((name, ids) -> {
            TopicState topic = topics.get(name);
            if (topic == null) {
                throw new IllegalStateException("topic " + name + " is not in the state");
            }
            topics = topics.updated(name, new TopicState(topic.topicId(), name, ids));
        });
        growing.clear();
    }

    private void replaceData(StreamState old, List<StreamRange> catalog, @Nullable Checkpoint checkpoint) {
        replaceData(
                old, old.epochStarts(), old.logStartOffset(), old.manifests(), catalog, checkpoint, old.cleanedTo());
    }

    private void replaceData(
            StreamState old,
            List<EpochStart> epochStarts,
            long logStartOffset,
            List<ManifestRef> manifests,
            List<StreamRange> catalog,
            @Nullable Checkpoint checkpoint,
            long cleanedTo) {
        streams = streams.updated(
                old.streamId(),
                new StreamState(
                        old.streamId(),
                        old.topicId(),
                        old.topic(),
                        old.partition(),
                        old.ownerNodeId(),
                        old.ownerNodeEpoch(),
                        old.epoch(),
                        epochStarts,
                        logStartOffset,
                        manifests,
                        catalog,
                        checkpoint,
                        old.preferredNodeId(),
                        old.pinned(),
                        old.targetNodeId(),
                        old.writers(),
                        old.handover(),
                        cleanedTo));
        changes.stream(old.streamId());
    }

    private void put(StreamState stream) {
        @Nullable StreamState old = streams.get(stream.streamId());
        if (old != null) {
            count(old.ownerNodeId(), -1);
        }
        count(stream.ownerNodeId(), 1);
        streams = streams.updated(stream.streamId(), stream);
        moving = with(moving, stream.streamId(), stream.targetNodeId() != NO_OWNER);
        away = with(away, stream.streamId(), stream.preferredNodeId() != stream.ownerNodeId());
        changes.stream(stream.streamId());
        if (old == null || old.epoch() != stream.epoch() || old.ownerNodeId() != stream.ownerNodeId()) {
            changes.partition(stream);
        }
    }

    private static ImmutableNavigableSet<Long> with(ImmutableNavigableSet<Long> set, long id, boolean member) {
        return member == set.contains(id) ? set : member ? set.added(id) : set.removed(id);
    }

    private void count(int owner, int by) {
        @Nullable Integer old = owned.get(owner);
        int now = (old == null ? 0 : old) + by;
        owned = now == 0 ? owned.removed(owner) : owned.updated(owner, now);
    }

    private StreamState stream(long streamId) {
        @Nullable StreamState found = streams.get(streamId);
        if (found == null) {
            throw new IllegalStateException("stream " + streamId + " is not in the state");
        }
        return found;
    }
}
