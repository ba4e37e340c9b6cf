package io.catchment.controlplane.state;

import com.google.protobuf.ByteString;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TaskState;
import io.catchment.controlplane.TopicState;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.Counters;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.proto.Session;
import io.catchment.controlplane.proto.Stream;
import io.catchment.controlplane.proto.StreamRanges;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.writer.ImageWriter;
import org.apache.kafka.image.writer.ImageWriterOptions;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.jspecify.annotations.Nullable;

/**
 * A state as the records that rebuild it: replayed onto an empty state they give an equal one. Kafka's topics come from here, with
 * our streams, since a partition is a stream; the rest of Kafka's image writes itself.
 */
public final class StateSnapshot {
    private static final int RANGES_PER_RECORD = 1000;
    private static final int ANSWER_BYTES_PER_RECORD = 1 << 20;

    private final ClusterState state;
    private final MetadataImage metadata;
    private final Consumer<LogRecord> out;

    private StateSnapshot(ClusterState state, MetadataImage metadata, Consumer<LogRecord> out) {
        this.state = state;
        this.metadata = metadata;
        this.out = out;
    }

    public static void write(ClusterState state, MetadataImage metadata, Consumer<LogRecord> out) {
        StateSnapshot snapshot = new StateSnapshot(state, metadata, out);
        snapshot.writeHistory();
        snapshot.writeKafkaParts();
        snapshot.writeTopicsAndStreams();
        snapshot.writeOwnParts();
    }

    private void writeHistory() {
        if (!state.historyId().equals(Uuid.ZERO_UUID)) {
            out.accept(Protos.historyBegun(state.historyId()));
        }
    }

    private void writeKafkaParts() {
        ImageWriterOptions options = new ImageWriterOptions.Builder(metadata).build();
        try (ImageWriter writer = new ForwardingWriter(out)) {
            metadata.features().write(writer, options);
            metadata.configs().write(writer);
            metadata.clientQuotas().write(writer);
            metadata.producerIds().write(writer);
            metadata.acls().write(writer);
            metadata.scram().write(writer, options);
            metadata.delegationTokens().write(writer, options);
        }
    }

    private void writeTopicsAndStreams() {
        for (ObjectState object : state.objects().values()) {
            own(Record.newBuilder().setObject(Protos.object(object)));
        }
        for (ManifestRef manifest : state.retired().values()) {
            own(Record.newBuilder().setRetiredManifest(Protos.manifest(manifest)));
        }
        for (TopicState topic : state.topics().values()) {
            out.accept(LogRecord.kafka(new TopicRecord().setName(topic.name()).setTopicId(topic.topicId()), (short) 0));
            for (long streamId : topic.streams()) {
                StreamState stream = state.streams().get(streamId);
                if (stream == null) {
                    throw new IllegalStateException("topic " + topic + " names a stream that is not in the state");
                }
                own(Record.newBuilder().setStream(stream(stream)));
                writeRanges(stream);
            }
        }
    }

    private void writeRanges(StreamState stream) {
        List<StreamRange> catalog = stream.catalog();
        for (int from = 0; from < catalog.size(); from += RANGES_PER_RECORD) {
            StreamRanges.Builder ranges = StreamRanges.newBuilder();
            for (StreamRange range : catalog.subList(from, Math.min(from + RANGES_PER_RECORD, catalog.size()))) {
                ranges.addRanges(Protos.range(stream.streamId(), range));
            }
            own(Record.newBuilder().setStreamRanges(ranges));
        }
    }

    private void writeOwnParts() {
        for (NodeState node : state.nodes().values()) {
            own(Record.newBuilder().setNode(Protos.node(node)));
        }
        for (ExtentState extent : state.extents().values()) {
            own(Record.newBuilder().setExtent(Protos.extent(extent)));
        }
        for (TaskState task : state.tasks().values()) {
            own(Record.newBuilder().setTask(Protos.task(task)));
        }
        for (Map.Entry<Long, CommandSession> session : state.sessions().entrySet()) {
            writeSession(session.getKey(), session.getValue());
        }
        // Last: the records above leave smaller values behind
        own(Record.newBuilder()
                .setCounters(Counters.newBuilder()
                        .setNextEpoch(state.nextEpoch())
                        .setNextStreamId(state.nextStreamId())
                        .setNextExtentId(state.nextExtentId())
                        .setNextObjectId(state.nextObjectId())
                        .setCommands(state.commands())));
    }

    private static Stream stream(StreamState stream) {
        Stream.Builder builder = Stream.newBuilder()
                .setStreamId(stream.streamId())
                .setTopicId(Protos.uuid(stream.topicId()))
                .setPartition(stream.partition())
                .setOwnerNodeId(stream.ownerNodeId())
                .setOwnerNodeEpoch(stream.ownerNodeEpoch())
                .setEpoch(stream.epoch())
                .setLogStartOffset(stream.logStartOffset())
                .setPreferredNodeId(stream.preferredNodeId())
                .setPinned(stream.pinned())
                .setTargetNodeId(stream.targetNodeId())
                .setCleanedTo(stream.cleanedTo());
        for (StreamState.Writer writer : stream.writers()) {
            builder.addWriters(
                    Stream.Writer.newBuilder().setNodeId(writer.nodeId()).setNodeEpoch(writer.nodeEpoch()));
        }
        StreamState.@Nullable Handover handover = stream.handover();
        if (handover != null) {
            builder.setHandover(Stream.Handover.newBuilder()
                    .setEndOffset(handover.endOffset())
                    .setExtentId(handover.extentId())
                    .setPosition(handover.position())
                    .setLength(handover.length()));
        }
        for (StreamState.EpochStart start : stream.epochStarts()) {
            builder.addEpochNumbers(start.epoch()).addEpochStartOffsets(start.startOffset());
        }
        stream.manifests().forEach(manifest -> builder.addManifests(Protos.manifest(manifest)));
        StreamState.@Nullable Checkpoint checkpoint = stream.checkpoint();
        if (checkpoint != null) {
            builder.setCheckpoint(Protos.checkpoint(stream.streamId(), checkpoint));
        }
        return builder.build();
    }

    /** In several records if its answers are large: each must fit into a batch of the log. */
    private void writeSession(long sessionId, CommandSession session) {
        Session.Builder part = part(sessionId, session);
        int bytes = 0;
        for (Map.Entry<Long, ByteString> answer : session.answers().entrySet()) {
            if (bytes > 0 && bytes + answer.getValue().size() > ANSWER_BYTES_PER_RECORD) {
                own(Record.newBuilder().setSession(part));
                part = part(sessionId, session);
                bytes = 0;
            }
            part.addSequences(answer.getKey()).addAnswers(answer.getValue());
            bytes += answer.getValue().size();
        }
        own(Record.newBuilder().setSession(part));
    }

    private static Session.Builder part(long sessionId, CommandSession session) {
        return Session.newBuilder()
                .setSessionId(sessionId)
                .setAckedBelow(session.ackedBelow())
                .setLastCommand(session.lastCommand());
    }

    private void own(Record.Builder record) {
        out.accept(LogRecord.own(record));
    }

    private record ForwardingWriter(Consumer<LogRecord> out) implements ImageWriter {
        @Override
        public void write(ApiMessageAndVersion record) {
            out.accept(new LogRecord.Kafka(record));
        }

        @Override
        public void close(boolean complete) {
            // Nothing is held
        }
    }
}
