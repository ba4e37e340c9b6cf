package io.catchment.controlplane.state;

import com.google.protobuf.ByteString;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.StreamState.Writer;
import io.catchment.controlplane.TaskState;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.Checkpoint;
import io.catchment.controlplane.proto.CommandDone;
import io.catchment.controlplane.proto.Counters;
import io.catchment.controlplane.proto.FlushPublished;
import io.catchment.controlplane.proto.ManifestReleased;
import io.catchment.controlplane.proto.Node;
import io.catchment.controlplane.proto.ObjectsPrepared;
import io.catchment.controlplane.proto.Range;
import io.catchment.controlplane.proto.RangesMerged;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.proto.Session;
import io.catchment.controlplane.proto.Stream;
import io.catchment.controlplane.state.ClusterState.TaskKey;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.common.metadata.MetadataRecordType;
import org.apache.kafka.common.metadata.ProducerIdsRecord;
import org.apache.kafka.common.metadata.RemoveTopicRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.server.immutable.ImmutableMap;
import org.jspecify.annotations.Nullable;

/**
 * The next version of a {@link ClusterState}: takes records one by one. Owned by one thread, and used once. Replay is
 * deterministic: it looks at the records and the state only. A record that contradicts the state throws; that is a broken
 * invariant, and the node must stop rather than go on with a state of its own.
 */
public final class StateBuilder {
    /** Sessions beyond this many are forgotten, the one unused for longest first. */
    static final int SESSIONS_MAX = 1024;

    private final ChangeListener changes;
    private final ObjectLedger objects;
    private final StreamLedger streams;
    private ImmutableMap<Integer, NodeState> nodes;
    private ImmutableMap<Long, ExtentState> extents;
    private ImmutableMap<TaskKey, TaskState> tasks;
    private ImmutableMap<ConfigResource, ImmutableMap<String, String>> configs;
    private ImmutableMap<String, Short> features;
    private ImmutableMap<Long, CommandSession> sessions;
    private Uuid historyId;
    private long nextEpoch;
    private long nextExtentId;
    private long nextProducerId;
    private long commands;

    public StateBuilder(ClusterState base, ChangeListener changes) {
        this.changes = changes;
        objects = new ObjectLedger(base, changes);
        streams = new StreamLedger(base, objects, changes);
        nodes = base.nodes();
        extents = base.extents();
        tasks = base.tasks();
        configs = base.configs();
        features = base.features();
        sessions = base.sessions();
        historyId = base.historyId();
        nextEpoch = base.nextEpoch();
        nextExtentId = base.nextExtentId();
        nextProducerId = base.nextProducerId();
        commands = base.commands();
    }

    public ClusterState build() {
        streams.settle();
        return new ClusterState(
                historyId,
                nextEpoch,
                streams.nextStreamId(),
                nextExtentId,
                objects.nextObjectId(),
                nextProducerId,
                commands,
                nodes,
                streams.topics(),
                streams.topicNames(),
                streams.collidingNames(),
                streams.streams(),
                streams.retired(),
                streams.owned(),
                streams.moving(),
                streams.away(),
                extents,
                tasks,
                objects.objects(),
                objects.prepared(),
                configs,
                features,
                sessions);
    }

    public void replay(LogRecord record) {
        if (record instanceof LogRecord.Kafka kafka) {
            replayKafka(kafka.message().message());
        } else {
            replayOwn(((LogRecord.Own) record).value());
        }
    }

    private void replayKafka(ApiMessage message) {
        switch (MetadataRecordType.fromId(message.apiKey())) {
            case TOPIC_RECORD -> {
                TopicRecord topic = (TopicRecord) message;
                streams.createTopic(topic.name(), topic.topicId());
            }
            case REMOVE_TOPIC_RECORD -> {
                String name = streams.removeTopic(((RemoveTopicRecord) message).topicId());
                dropConfigs(new ConfigResource(ConfigResource.Type.TOPIC, name));
            }
            case CONFIG_RECORD -> replayConfig((ConfigRecord) message);
            case FEATURE_LEVEL_RECORD -> {
                FeatureLevelRecord feature = (FeatureLevelRecord) message;
                features = feature.featureLevel() == 0
                        ? features.removed(feature.name())
                        : features.updated(feature.name(), feature.featureLevel());
            }
            case PRODUCER_IDS_RECORD -> nextProducerId = ((ProducerIdsRecord) message).nextProducerId();
            case CLIENT_QUOTA_RECORD,
                    ACCESS_CONTROL_ENTRY_RECORD,
                    REMOVE_ACCESS_CONTROL_ENTRY_RECORD,
                    USER_SCRAM_CREDENTIAL_RECORD,
                    REMOVE_USER_SCRAM_CREDENTIAL_RECORD,
                    DELEGATION_TOKEN_RECORD,
                    REMOVE_DELEGATION_TOKEN_RECORD -> {
                // Only Kafka's image keeps these
            }
            default ->
                throw new IllegalStateException(
                        "control log: record of type " + message.apiKey() + " has no meaning here: " + message);
        }
    }

    private void dropConfigs(ConfigResource resource) {
        @Nullable ImmutableMap<String, String> dropped = configs.get(resource);
        if (dropped != null) {
            changes.configsDropped(resource, dropped.keySet());
            configs = configs.removed(resource);
            changes.configs();
        }
    }

    private void replayConfig(ConfigRecord record) {
        ConfigResource resource =
                new ConfigResource(ConfigResource.Type.forId(record.resourceType()), record.resourceName());
        @Nullable ImmutableMap<String, String> found = configs.get(resource);
        ImmutableMap<String, String> old = found == null ? ImmutableMap.empty() : found;
        @Nullable String value = record.value();
        ImmutableMap<String, String> changed =
                value == null ? old.removed(record.name()) : old.updated(record.name(), value);
        configs = changed.isEmpty() ? configs.removed(resource) : configs.updated(resource, changed);
        changes.configs();
    }

    private void replayOwn(Record record) {
        switch (record.getKindCase()) {
            case HISTORY_BEGUN ->
                replayHistory(Protos.uuid(record.getHistoryBegun().getHistoryId()));
            case NODE -> replayNode(record.getNode());
            case STREAMS_CREATED -> {
                var created = record.getStreamsCreated();
                streams.createStreams(
                        Protos.uuid(created.getTopicId()),
                        created.getFirstPartition(),
                        created.getFirstStreamId(),
                        created.getOwnersList(),
                        created.getPinned());
            }
            case STREAMS_OPENED -> {
                var opened = record.getStreamsOpened();
                Set<Writer> unflushed = unflushedWriters();
                for (int i = 0; i < opened.getStreamIdsCount(); i++) {
                    streams.open(opened.getStreamIds(i), opened.getNodeEpoch(), opened.getStartOffsets(i), unflushed);
                }
            }
            case STREAMS_ASSIGNED -> {
                var assigned = record.getStreamsAssigned();
                for (int i = 0; i < assigned.getStreamIdsCount(); i++) {
                    streams.assign(assigned.getStreamIds(i), assigned.getOwners(i));
                }
            }
            case STREAMS_TARGETED -> {
                var targeted = record.getStreamsTargeted();
                for (int i = 0; i < targeted.getStreamIdsCount(); i++) {
                    streams.target(
                            targeted.getStreamIds(i),
                            targeted.getTargets(i),
                            targeted.getPreferred(i),
                            targeted.getPinned(i));
                }
            }
            case STREAMS_RESIGNED -> {
                Set<Writer> unflushed = unflushedWriters();
                for (var resigned : record.getStreamsResigned().getStreamsList()) {
                    streams.resign(
                            resigned.getStreamId(),
                            resigned.getOwner(),
                            resigned.getOwnerEpoch(),
                            new StreamState.Handover(
                                    resigned.getEndOffset(),
                                    resigned.getExtentId(),
                                    resigned.getPosition(),
                                    resigned.getLength()),
                            unflushed);
                }
            }
            case STREAMS_TRIMMED -> {
                var trimmed = record.getStreamsTrimmed();
                for (int i = 0; i < trimmed.getStreamIdsCount(); i++) {
                    streams.trim(trimmed.getStreamIds(i), trimmed.getStartOffsets(i), trimmed.getAtMs());
                }
            }
            case STREAMS_SHORTENED -> {
                var shortened = record.getStreamsShortened();
                for (int i = 0; i < shortened.getStreamIdsCount(); i++) {
                    streams.shorten(shortened.getStreamIds(i), shortened.getEndOffsets(i), shortened.getAtMs());
                }
            }
            case STREAMS_DROPPED ->
                streams.dropStreams(
                        Protos.uuid(record.getStreamsDropped().getTopicId()),
                        record.getStreamsDropped().getAtMs());
            case EXTENT -> replayExtent(Protos.extent(record.getExtent()));
            case EXTENT_REMOVED -> {
                extents = extents.removed(record.getExtentRemoved().getExtentId());
                changes.extent(record.getExtentRemoved().getExtentId());
            }
            case TASK -> {
                TaskState task = Protos.task(record.getTask());
                tasks = tasks.updated(TaskKey.of(task), task);
                changes.extent(task.extentId());
            }
            case TASK_ENDED -> {
                var ended = record.getTaskEnded();
                tasks = tasks.removed(
                        new TaskKey(TaskState.Kind.valueOf(ended.getKind().name()), ended.getExtentId()));
                changes.extent(ended.getExtentId());
            }
            case NODE_REMOVED -> {
                nodes = nodes.removed(record.getNodeRemoved().getNodeId());
                changes.nodes();
            }
            case OBJECTS_PREPARED -> {
                ObjectsPrepared prepared = record.getObjectsPrepared();
                objects.prepare(
                        prepared.getFirstObjectId(), prepared.getCount(), prepared.getAtMs(), prepared.getDeadlineMs());
            }
            case FLUSH_PUBLISHED -> replayFlush(record.getFlushPublished());
            case RANGES_MERGED -> replayMerge(record.getRangesMerged());
            case MANIFEST_PUBLISHED -> {
                var published = record.getManifestPublished();
                ManifestRef manifest = Protos.manifest(published.getManifest());
                objects.publish(manifest.objectId(), published.getObjectBytes(), false, published.getAtMs());
                streams.moveToManifest(
                        published.getStreamId(),
                        manifest,
                        published.getReplacesNewest(),
                        published.getTaken(),
                        published.getAtMs());
            }
            case MANIFEST_RELEASED -> replayRelease(record.getManifestReleased());
            case OBJECTS_DOOMED -> {
                for (long id : record.getObjectsDoomed().getObjectIdsList()) {
                    objects.doom(id, record.getObjectsDoomed().getAtMs());
                }
            }
            case OBJECTS_FORGOTTEN ->
                record.getObjectsForgotten().getObjectIdsList().forEach(objects::forget);
            case COMMAND_DONE -> replayDone(record.getCommandDone());
            case BARRIER -> {
                // Only its place counts
            }
            case COUNTERS -> replayCounters(record.getCounters());
            case STREAM -> streams.load(stream(record.getStream()));
            case STREAM_RANGES -> {
                for (Range range : record.getStreamRanges().getRangesList()) {
                    streams.append(range.getStreamId(), Protos.range(range, range.getObjectId()), false);
                }
            }
            case RETIRED_MANIFEST -> streams.loadRetired(Protos.manifest(record.getRetiredManifest()));
            case OBJECT -> objects.put(Protos.object(record.getObject()));
            case SESSION -> replaySession(record.getSession());
            case KIND_NOT_SET ->
                throw new IllegalStateException(
                        "control log: a record of a newer version is not known here; upgrade this node");
        }
    }

    private void replayHistory(Uuid begun) {
        if (!historyId.equals(Uuid.ZERO_UUID) && !historyId.equals(begun)) {
            throw new IllegalStateException("control log: history " + begun + " begins in the midst of " + historyId);
        }
        historyId = begun;
    }

    private void replayNode(Node node) {
        nodes = nodes.updated(node.getNodeId(), Protos.node(node));
        nextEpoch = Math.max(nextEpoch, node.getEpoch() + 1);
        changes.nodes();
    }

    /** Whose extents may still hold frames that are in no object. */
    private Set<Writer> unflushedWriters() {
        Set<Writer> writers = new HashSet<>();
        for (ExtentState extent : extents.values()) {
            if (extent.phase() != ExtentState.Phase.FLUSHED) {
                writers.add(new Writer(extent.writerNodeId(), extent.writerEpoch()));
            }
        }
        return writers;
    }

    private void replayExtent(ExtentState extent) {
        extents = extents.updated(extent.extentId(), extent);
        nextExtentId = Math.max(nextExtentId, extent.extentId() + 1);
        nextEpoch = Math.max(nextEpoch, extent.epoch() + 1);
        changes.extent(extent.extentId());
    }

    private void replayFlush(FlushPublished flush) {
        long objectId = flush.getObjectId();
        if (objectId >= 0) {
            objects.publish(objectId, flush.getObjectBytes(), flush.getPartial(), flush.getAtMs());
            for (Range range : flush.getRangesList()) {
                streams.append(range.getStreamId(), Protos.range(range, objectId), true);
            }
            for (Checkpoint checkpoint : flush.getCheckpointsList()) {
                streams.checkpoint(
                        checkpoint.getStreamId(),
                        Protos.checkpoint(checkpoint, objectId, flush.getExtentId()),
                        flush.getAtMs());
            }
            objects.doomIfUnreferenced(objectId, flush.getAtMs());
        }
        if (flush.getPartial()) {
            return;
        }
        ExtentState old = extents.get(flush.getExtentId());
        if (old == null) {
            throw new IllegalStateException("extent " + flush.getExtentId() + " is not in the state");
        }
        replayExtent(new ExtentState(
                old.extentId(),
                old.writerNodeId(),
                old.writerEpoch(),
                old.epoch(),
                old.lane(),
                old.ensemble(),
                old.ackQuorum(),
                ExtentState.Phase.FLUSHED,
                old.length(),
                old.holders()));
    }

    private void replayMerge(RangesMerged merge) {
        objects.publish(merge.getObjectId(), merge.getObjectBytes(), false, merge.getAtMs());
        for (RangesMerged.Merged merged : merge.getMergedList()) {
            Range range = merged.getRange();
            streams.merge(
                    range.getStreamId(),
                    Protos.range(range, merge.getObjectId()),
                    merged.getInputs(),
                    merged.getCleanedTo(),
                    merge.getAtMs());
        }
    }

    private void replayRelease(ManifestReleased released) {
        for (int i = 0; i < released.getObjectIdsCount(); i++) {
            objects.doomOwned(released.getObjectIds(i), released.getObjectBytes(i), released.getAtMs());
        }
        if (released.hasRemaining()) {
            streams.release(released.getStreamId(), Protos.manifest(released.getRemaining()));
        } else {
            streams.forgetRetired(released.getObjectId(), released.getAtMs());
        }
    }

    private void replayDone(CommandDone done) {
        commands++;
        @Nullable CommandSession found = sessions.get(done.getSessionId());
        if (found == null) {
            while (sessions.size() >= SESSIONS_MAX) {
                sessions = sessions.removed(oldestSession());
            }
            found = CommandSession.EMPTY;
        }
        sessions = sessions.updated(
                done.getSessionId(), found.done(done.getSequence(), done.getAckedBelow(), commands, done.getAnswer()));
    }

    private long oldestSession() {
        return sessions.entrySet().stream()
                .min(Map.Entry.<Long, CommandSession>comparingByValue(
                                java.util.Comparator.comparingLong(CommandSession::lastCommand))
                        .thenComparing(Map.Entry.comparingByKey()))
                .orElseThrow()
                .getKey();
    }

    private void replayCounters(Counters counters) {
        nextEpoch = counters.getNextEpoch();
        streams.nextStreamId(counters.getNextStreamId());
        nextExtentId = counters.getNextExtentId();
        objects.nextObjectId(counters.getNextObjectId());
        commands = counters.getCommands();
    }

    private StreamState stream(Stream stream) {
        Uuid topicId = Protos.uuid(stream.getTopicId());
        List<StreamState.EpochStart> starts = new ArrayList<>();
        for (int i = 0; i < stream.getEpochNumbersCount(); i++) {
            starts.add(new StreamState.EpochStart(stream.getEpochNumbers(i), stream.getEpochStartOffsets(i)));
        }
        return new StreamState(
                stream.getStreamId(),
                topicId,
                streams.topic(topicId).name(),
                stream.getPartition(),
                stream.getOwnerNodeId(),
                stream.getOwnerNodeEpoch(),
                stream.getEpoch(),
                List.copyOf(starts),
                stream.getLogStartOffset(),
                stream.getManifestsList().stream().map(Protos::manifest).toList(),
                RangeList.EMPTY,
                stream.hasCheckpoint()
                        ? Protos.checkpoint(
                                stream.getCheckpoint(),
                                stream.getCheckpoint().getObjectId(),
                                stream.getCheckpoint().getExtentId())
                        : null,
                stream.hasPreferredNodeId() ? stream.getPreferredNodeId() : stream.getOwnerNodeId(),
                stream.getPinned(),
                stream.hasTargetNodeId() ? stream.getTargetNodeId() : ClusterState.NO_OWNER,
                stream.getWritersList().stream()
                        .map(writer -> new Writer(writer.getNodeId(), writer.getNodeEpoch()))
                        .toList(),
                stream.hasHandover()
                        ? new StreamState.Handover(
                                stream.getHandover().getEndOffset(),
                                stream.getHandover().getExtentId(),
                                stream.getHandover().getPosition(),
                                stream.getHandover().getLength())
                        : null,
                stream.getCleanedTo());
    }

    /** One of the records that a session's answers are in. */
    private void replaySession(Session session) {
        @Nullable CommandSession before = sessions.get(session.getSessionId());
        ImmutableMap<Long, ByteString> answers = before == null ? ImmutableMap.empty() : before.answers();
        for (int i = 0; i < session.getSequencesCount(); i++) {
            answers = answers.updated(session.getSequences(i), session.getAnswers(i));
        }
        sessions = sessions.updated(
                session.getSessionId(), new CommandSession(session.getAckedBelow(), session.getLastCommand(), answers));
    }
}
