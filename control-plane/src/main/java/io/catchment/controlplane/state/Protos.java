package io.catchment.controlplane.state;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TaskState;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.Checkpoint;
import io.catchment.controlplane.proto.Extent;
import io.catchment.controlplane.proto.HistoryBegun;
import io.catchment.controlplane.proto.Manifest;
import io.catchment.controlplane.proto.Node;
import io.catchment.controlplane.proto.Range;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.proto.Store;
import io.catchment.controlplane.proto.StoredObject;
import io.catchment.controlplane.proto.Task;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** The parts of the state to and from their protobuf form. */
public final class Protos {
    private Protos() {}

    public static io.catchment.controlplane.proto.Uuid uuid(Uuid value) {
        return io.catchment.controlplane.proto.Uuid.newBuilder()
                .setHigh(value.getMostSignificantBits())
                .setLow(value.getLeastSignificantBits())
                .build();
    }

    public static Uuid uuid(io.catchment.controlplane.proto.Uuid value) {
        return new Uuid(value.getHigh(), value.getLow());
    }

    public static LogRecord historyBegun(Uuid historyId) {
        return LogRecord.own(
                Record.newBuilder().setHistoryBegun(HistoryBegun.newBuilder().setHistoryId(uuid(historyId))));
    }

    public static List<io.catchment.controlplane.proto.Endpoint> endpointsToProto(List<Endpoint> values) {
        return values.stream()
                .map(endpoint -> io.catchment.controlplane.proto.Endpoint.newBuilder()
                        .setName(endpoint.name())
                        .setHost(endpoint.host())
                        .setPort(endpoint.port())
                        .build())
                .toList();
    }

    public static List<Endpoint> endpoints(List<io.catchment.controlplane.proto.Endpoint> values) {
        return values.stream()
                .map(endpoint -> new Endpoint(endpoint.getName(), endpoint.getHost(), endpoint.getPort()))
                .toList();
    }

    public static Node node(NodeState node) {
        return Node.newBuilder()
                .setNodeId(node.nodeId())
                .setEpoch(node.epoch())
                .setStoreId(node.storeId())
                .addAllEndpoints(endpointsToProto(node.endpoints()))
                .setZone(node.zone())
                .addAllRoles(node.roles())
                .setIncarnation(uuid(node.incarnation()))
                .setFenced(node.fenced())
                .setLeased(node.leased())
                .setDraining(node.draining())
                .build();
    }

    static NodeState node(Node node) {
        return new NodeState(
                node.getNodeId(),
                node.getEpoch(),
                node.getStoreId(),
                endpoints(node.getEndpointsList()),
                node.getZone(),
                List.copyOf(node.getRolesList()),
                uuid(node.getIncarnation()),
                node.getFenced(),
                node.getLeased(),
                node.getDraining());
    }

    public static List<Store> storesToProto(List<ExtentState.Store> stores) {
        return stores.stream()
                .map(store -> Store.newBuilder()
                        .setNodeId(store.nodeId())
                        .setStoreId(store.storeId())
                        .build())
                .toList();
    }

    public static List<ExtentState.Store> stores(List<Store> stores) {
        return stores.stream()
                .map(store -> new ExtentState.Store(store.getNodeId(), store.getStoreId()))
                .toList();
    }

    public static Extent extent(ExtentState extent) {
        ExtentState.@Nullable Recoverer recoverer = extent.recoverer();
        return Extent.newBuilder()
                .setRecovererNodeId(recoverer == null ? 0 : recoverer.nodeId())
                .setRecovererNodeEpoch(recoverer == null ? 0 : recoverer.nodeEpoch())
                .setExtentId(extent.extentId())
                .setWriterNodeId(extent.writerNodeId())
                .setWriterEpoch(extent.writerEpoch())
                .setEpoch(extent.epoch())
                .setLane(extent.lane())
                .addAllEnsemble(storesToProto(extent.ensemble()))
                .setAckQuorum(extent.ackQuorum())
                .setPhase(Extent.Phase.valueOf(extent.phase().name()))
                .setLength(extent.length())
                .addAllHolders(storesToProto(extent.holders()))
                .build();
    }

    public static ExtentState extent(Extent extent) {
        return new ExtentState(
                extent.getExtentId(),
                extent.getWriterNodeId(),
                extent.getWriterEpoch(),
                extent.getEpoch(),
                extent.getLane(),
                stores(extent.getEnsembleList()),
                extent.getAckQuorum(),
                ExtentState.Phase.valueOf(extent.getPhase().name()),
                extent.getLength(),
                stores(extent.getHoldersList()),
                extent.getRecovererNodeEpoch() == 0
                        ? null
                        : new ExtentState.Recoverer(extent.getRecovererNodeId(), extent.getRecovererNodeEpoch()));
    }

    public static Task task(TaskState task) {
        return Task.newBuilder()
                .setKind(Task.Kind.valueOf(task.kind().name()))
                .setExtentId(task.extentId())
                .setNodeId(task.nodeId())
                .setNodeEpoch(task.nodeEpoch())
                .build();
    }

    static TaskState task(Task task) {
        return new TaskState(
                TaskState.Kind.valueOf(task.getKind().name()),
                task.getExtentId(),
                task.getNodeId(),
                task.getNodeEpoch());
    }

    public static StoredObject object(ObjectState object) {
        return StoredObject.newBuilder()
                .setObjectId(object.objectId())
                .setBytes(object.bytes())
                .setReferences(object.references())
                .setPhase(StoredObject.Phase.valueOf(object.phase().name()))
                .setPartial(object.partial())
                .setSinceMs(object.sinceMs())
                .setDeadlineMs(object.deadlineMs())
                .build();
    }

    static ObjectState object(StoredObject object) {
        return new ObjectState(
                object.getObjectId(),
                object.getBytes(),
                object.getReferences(),
                ObjectState.Phase.valueOf(object.getPhase().name()),
                object.getPartial(),
                object.getSinceMs(),
                object.getDeadlineMs());
    }

    public static Manifest manifest(ManifestRef manifest) {
        return Manifest.newBuilder()
                .setObjectId(manifest.objectId())
                .setBaseOffset(manifest.baseOffset())
                .setEndOffset(manifest.endOffset())
                .setRanges(manifest.ranges())
                .setBytes(manifest.bytes())
                .setMaxEventTimeMs(manifest.maxEventTimeMs())
                .setMaxAppendTimeMs(manifest.maxAppendTimeMs())
                .setFirstBytes(manifest.firstBytes())
                .setFirstMaxEventTimeMs(manifest.firstMaxEventTimeMs())
                .setFirstMaxAppendTimeMs(manifest.firstMaxAppendTimeMs())
                .setDigest(manifest.digest())
                .build();
    }

    static ManifestRef manifest(Manifest manifest) {
        return new ManifestRef(
                manifest.getObjectId(),
                manifest.getBaseOffset(),
                manifest.getEndOffset(),
                manifest.getRanges(),
                manifest.getBytes(),
                manifest.getMaxEventTimeMs(),
                manifest.getMaxAppendTimeMs(),
                manifest.getFirstBytes(),
                manifest.getFirstMaxEventTimeMs(),
                manifest.getFirstMaxAppendTimeMs(),
                manifest.getDigest());
    }

    public static io.catchment.controlplane.proto.OwnedRange ownedRange(OwnedRange owned) {
        return io.catchment.controlplane.proto.OwnedRange.newBuilder()
                .setRange(range(0, owned.range()))
                .setObjectBytes(owned.objectBytes())
                .build();
    }

    public static OwnedRange ownedRange(io.catchment.controlplane.proto.OwnedRange owned) {
        return new OwnedRange(range(owned.getRange(), owned.getRange().getObjectId()), owned.getObjectBytes());
    }

    static Range range(long streamId, StreamRange range) {
        return Range.newBuilder()
                .setStreamId(streamId)
                .setBaseOffset(range.baseOffset())
                .setEndOffset(range.endOffset())
                .setObjectId(range.objectId())
                .setPosition(range.position())
                .setLength(range.length())
                .setMaxEventTimeMs(range.maxEventTimeMs())
                .setMaxAppendTimeMs(range.maxAppendTimeMs())
                .build();
    }

    /** Of an object that is named elsewhere. */
    public static Range newRange(Command.NewRange range) {
        return Range.newBuilder()
                .setStreamId(range.streamId())
                .setBaseOffset(range.baseOffset())
                .setEndOffset(range.endOffset())
                .setPosition(range.position())
                .setLength(range.length())
                .setMaxEventTimeMs(range.maxEventTimeMs())
                .setMaxAppendTimeMs(range.maxAppendTimeMs())
                .build();
    }

    public static Command.NewRange newRange(Range range) {
        return new Command.NewRange(
                range.getStreamId(),
                range.getBaseOffset(),
                range.getEndOffset(),
                range.getPosition(),
                range.getLength(),
                range.getMaxEventTimeMs(),
                range.getMaxAppendTimeMs());
    }

    static StreamRange range(Range range, long objectId) {
        return new StreamRange(
                range.getBaseOffset(),
                range.getEndOffset(),
                objectId,
                range.getPosition(),
                range.getLength(),
                range.getMaxEventTimeMs(),
                range.getMaxAppendTimeMs());
    }

    static Checkpoint checkpoint(long streamId, StreamState.Checkpoint checkpoint) {
        return Checkpoint.newBuilder()
                .setStreamId(streamId)
                .setOffset(checkpoint.offset())
                .setObjectId(checkpoint.objectId())
                .setPosition(checkpoint.position())
                .setLength(checkpoint.length())
                .setExtentId(checkpoint.extentId())
                .build();
    }

    static StreamState.Checkpoint checkpoint(Checkpoint checkpoint, long objectId, long extentId) {
        return new StreamState.Checkpoint(
                checkpoint.getOffset(), objectId, checkpoint.getPosition(), checkpoint.getLength(), extentId);
    }
}
