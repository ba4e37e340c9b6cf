package io.catchment.controlplane.state;

import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.StreamState.Checkpoint;
import io.catchment.controlplane.StreamState.EpochStart;
import io.catchment.controlplane.TopicState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.server.immutable.ImmutableMap;
import org.jspecify.annotations.Nullable;

/** Topics and their streams while records are replayed; owned by one {@link StateBuilder}. */
final class StreamLedger {
    private final ChangeListener changes;
    private final ObjectLedger objects;
    private ImmutableMap<String, TopicState> topics;
    private ImmutableMap<Uuid, String> topicNames;
    private ImmutableMap<String, String> collidingNames;
    private ImmutableMap<Long, StreamState> streams;
    private ImmutableMap<Integer, Integer> owned;
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
        owned = base.owned();
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

    ImmutableMap<Integer, Integer> owned() {
        return owned;
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

    void createStreams(Uuid topicId, int firstPartition, long firstStreamId, List<Integer> owners) {
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
                    RangeList.EMPTY,
                    null));
        }
        nextStreamId = Math.max(nextStreamId, firstStreamId + owners.size());
        topics = topics.updated(topic.name(), new TopicState(topicId, topic.name(), ids));
        changes.topics();
    }

    /** The next epoch starts at the offset. Entries that start at or past it are of epochs without data: they go, as in Kafka. */
    void open(long streamId, long nodeEpoch, long startOffset) {
        StreamState old = stream(streamId);
        int epoch = old.epoch() + 1;
        List<EpochStart> starts = new ArrayList<>(old.epochStarts());
        starts.removeIf(start -> start.startOffset() >= startOffset);
        starts.add(new EpochStart(epoch, startOffset));
        put(new StreamState(
                streamId,
                old.topicId(),
                old.topic(),
                old.partition(),
                old.ownerNodeId(),
                nodeEpoch,
                epoch,
                List.copyOf(starts),
                old.logStartOffset(),
                old.catalog(),
                old.checkpoint()));
    }

    void assign(long streamId, int owner) {
        StreamState old = stream(streamId);
        put(new StreamState(
                streamId,
                old.topicId(),
                old.topic(),
                old.partition(),
                owner,
                -1,
                old.epoch() + 1,
                old.epochStarts(),
                old.logStartOffset(),
                old.catalog(),
                old.checkpoint()));
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

    void dropStreams(Uuid topicId, long atMs) {
        for (long streamId : topic(topicId).streams()) {
            StreamState old = stream(streamId);
            for (StreamRange range : old.catalog()) {
                objects.dropReference(range.objectId(), atMs);
            }
            @Nullable Checkpoint checkpoint = old.checkpoint();
            if (checkpoint != null) {
                objects.dropReference(checkpoint.objectId(), atMs);
            }
            streams = streams.removed(streamId);
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
                        old.epochStarts(),
                        old.logStartOffset(),
                        catalog,
                        checkpoint));
        changes.stream(old.streamId());
    }

    private void put(StreamState stream) {
        @Nullable StreamState old = streams.get(stream.streamId());
        if (old != null) {
            count(old.ownerNodeId(), -1);
        }
        count(stream.ownerNodeId(), 1);
        streams = streams.updated(stream.streamId(), stream);
        changes.stream(stream.streamId());
        changes.partition(stream);
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
