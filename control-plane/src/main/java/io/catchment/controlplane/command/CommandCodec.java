package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.proto.AddHolder;
import io.catchment.controlplane.proto.AllocateProducerIds;
import io.catchment.controlplane.proto.AlterConfigs;
import io.catchment.controlplane.proto.Checkpoint;
import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CreateExtent;
import io.catchment.controlplane.proto.CreatePartitions;
import io.catchment.controlplane.proto.CreateTopics;
import io.catchment.controlplane.proto.DeleteTopics;
import io.catchment.controlplane.proto.DrainNode;
import io.catchment.controlplane.proto.ExpireObjects;
import io.catchment.controlplane.proto.FenceNode;
import io.catchment.controlplane.proto.ForgetObjects;
import io.catchment.controlplane.proto.MoveStreams;
import io.catchment.controlplane.proto.OpenStreams;
import io.catchment.controlplane.proto.PrepareObjects;
import io.catchment.controlplane.proto.PublishFlush;
import io.catchment.controlplane.proto.PublishManifest;
import io.catchment.controlplane.proto.PublishMerge;
import io.catchment.controlplane.proto.RecoverExtent;
import io.catchment.controlplane.proto.RegisterNode;
import io.catchment.controlplane.proto.ReleaseExtent;
import io.catchment.controlplane.proto.ReleaseManifest;
import io.catchment.controlplane.proto.RemoveNode;
import io.catchment.controlplane.proto.ResignStreams;
import io.catchment.controlplane.proto.SealExtent;
import io.catchment.controlplane.proto.TrimStreams;
import io.catchment.controlplane.proto.UnregisterNode;
import io.catchment.controlplane.state.Protos;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Commands on the wire (rpc.proto). */
public final class CommandCodec {
    private CommandCodec() {}

    public static void write(Command<?> command, CommandRequest.Builder out) {
        if (command instanceof Command.RegisterNode c) {
            out.setRegisterNode(RegisterNode.newBuilder()
                    .setNodeId(c.nodeId())
                    .setStoreId(c.storeId())
                    .addAllEndpoints(Protos.endpointsToProto(c.endpoints()))
                    .setZone(c.zone())
                    .addAllRoles(c.roles())
                    .setIncarnation(Protos.uuid(c.incarnation()))
                    .setLeased(c.leased()));
        } else if (command instanceof Command.UnregisterNode c) {
            out.setUnregisterNode(
                    UnregisterNode.newBuilder().setNodeId(c.nodeId()).setNodeEpoch(c.nodeEpoch()));
        } else if (command instanceof Command.FenceNode c) {
            out.setFenceNode(FenceNode.newBuilder().setNodeId(c.nodeId()).setNodeEpoch(c.nodeEpoch()));
        } else if (command instanceof Command.DrainNode c) {
            out.setDrainNode(DrainNode.newBuilder().setNodeId(c.nodeId()).setDraining(c.draining()));
        } else if (command instanceof Command.RemoveNode c) {
            out.setRemoveNode(RemoveNode.newBuilder().setNodeId(c.nodeId()));
        } else if (command instanceof Command.MoveStreams c) {
            out.setMoveStreams(moveStreams(c));
        } else if (command instanceof Command.ResignStreams c) {
            out.setResignStreams(resignStreams(c));
        } else if (command instanceof Command.PublishMerge c) {
            out.setPublishMerge(publishMerge(c));
        } else if (command instanceof Command.PublishManifest c) {
            out.setPublishManifest(publishManifest(c));
        } else if (command instanceof Command.ReleaseManifest c) {
            out.setReleaseManifest(releaseManifest(c));
        } else if (command instanceof Command.TrimStreams c) {
            out.setTrimStreams(trimStreams(c));
        } else if (command instanceof Command.AddHolder c) {
            out.setAddHolder(AddHolder.newBuilder()
                    .setNodeId(c.nodeId())
                    .setNodeEpoch(c.nodeEpoch())
                    .setExtentId(c.extentId())
                    .setHolder(Protos.storesToProto(List.of(c.holder())).get(0)));
        } else if (command instanceof Command.CreateTopics c) {
            out.setCreateTopics(createTopics(c));
        } else if (command instanceof Command.DeleteTopics c) {
            out.setDeleteTopics(DeleteTopics.newBuilder()
                    .addAllTopicIds(c.topicIds().stream().map(Protos::uuid).toList()));
        } else if (command instanceof Command.CreatePartitions c) {
            out.setCreatePartitions(CreatePartitions.newBuilder()
                    .setTopic(c.topic())
                    .setTotalCount(c.totalCount())
                    .addAllOwners(c.owners())
                    .setValidateOnly(c.validateOnly()));
        } else if (command instanceof Command.AlterConfigs c) {
            out.setAlterConfigs(alterConfigs(c));
        } else if (command instanceof Command.AlterClients c) {
            out.setAlterClients(KafkaRecordCodec.write(c));
        } else if (command instanceof Command.AllocateProducerIds c) {
            out.setAllocateProducerIds(
                    AllocateProducerIds.newBuilder().setNodeId(c.nodeId()).setNodeEpoch(c.nodeEpoch()));
        } else if (command instanceof Command.OpenStreams c) {
            out.setOpenStreams(openStreams(c));
        } else if (command instanceof Command.CreateExtent c) {
            out.setCreateExtent(CreateExtent.newBuilder()
                    .setNodeId(c.nodeId())
                    .setNodeEpoch(c.nodeEpoch())
                    .setLane(c.lane())
                    .addAllAvoid(Protos.storesToProto(c.avoid())));
        } else if (command instanceof Command.SealExtent c) {
            out.setSealExtent(SealExtent.newBuilder()
                    .setExtentId(c.extentId())
                    .setEpoch(c.epoch())
                    .setLength(c.length())
                    .addAllHolders(Protos.storesToProto(c.holders())));
        } else if (command instanceof Command.RecoverExtent c) {
            out.setRecoverExtent(RecoverExtent.newBuilder()
                    .setExtentId(c.extentId())
                    .setRecovererNodeId(c.recovererNodeId())
                    .setRecovererNodeEpoch(c.recovererNodeEpoch()));
        } else if (command instanceof Command.ReleaseExtent c) {
            out.setReleaseExtent(ReleaseExtent.newBuilder()
                    .setExtentId(c.extentId())
                    .addAllHolders(Protos.storesToProto(c.holders())));
        } else if (command instanceof Command.PrepareObjects c) {
            out.setPrepareObjects(PrepareObjects.newBuilder()
                    .setNodeId(c.nodeId())
                    .setNodeEpoch(c.nodeEpoch())
                    .setCount(c.count())
                    .setTtlMs(c.ttlMs()));
        } else if (command instanceof Command.PublishFlush c) {
            out.setPublishFlush(publishFlush(c));
        } else if (command instanceof Command.ForgetObjects c) {
            out.setForgetObjects(ForgetObjects.newBuilder().addAllObjectIds(c.objectIds()));
        } else if (command instanceof Command.ExpireObjects c) {
            out.setExpireObjects(ExpireObjects.newBuilder().addAllObjectIds(c.objectIds()));
        } else {
            throw new IllegalArgumentException("no wire form for " + command.getClass());
        }
    }

    public static Command<?> read(CommandRequest in) {
        return switch (in.getCommandCase()) {
            case REGISTER_NODE -> {
                RegisterNode c = in.getRegisterNode();
                yield new Command.RegisterNode(
                        c.getNodeId(),
                        c.getStoreId(),
                        Protos.endpoints(c.getEndpointsList()),
                        c.getZone(),
                        c.getRolesList(),
                        Protos.uuid(c.getIncarnation()),
                        c.getLeased());
            }
            case FENCE_NODE ->
                new Command.FenceNode(
                        in.getFenceNode().getNodeId(), in.getFenceNode().getNodeEpoch());
            case DRAIN_NODE ->
                new Command.DrainNode(
                        in.getDrainNode().getNodeId(), in.getDrainNode().getDraining());
            case REMOVE_NODE -> new Command.RemoveNode(in.getRemoveNode().getNodeId());
            case MOVE_STREAMS -> moveStreams(in.getMoveStreams());
            case RESIGN_STREAMS -> resignStreams(in.getResignStreams());
            case PUBLISH_MERGE -> publishMerge(in.getPublishMerge());
            case PUBLISH_MANIFEST -> publishManifest(in.getPublishManifest());
            case RELEASE_MANIFEST -> releaseManifest(in.getReleaseManifest());
            case TRIM_STREAMS -> trimStreams(in.getTrimStreams());
            case ADD_HOLDER ->
                new Command.AddHolder(
                        in.getAddHolder().getNodeId(),
                        in.getAddHolder().getNodeEpoch(),
                        in.getAddHolder().getExtentId(),
                        Protos.stores(List.of(in.getAddHolder().getHolder())).get(0));
            case UNREGISTER_NODE ->
                new Command.UnregisterNode(
                        in.getUnregisterNode().getNodeId(),
                        in.getUnregisterNode().getNodeEpoch());
            case CREATE_TOPICS -> createTopics(in.getCreateTopics());
            case DELETE_TOPICS ->
                new Command.DeleteTopics(in.getDeleteTopics().getTopicIdsList().stream()
                        .map(Protos::uuid)
                        .toList());
            case CREATE_PARTITIONS ->
                new Command.CreatePartitions(
                        in.getCreatePartitions().getTopic(),
                        in.getCreatePartitions().getTotalCount(),
                        in.getCreatePartitions().getOwnersList(),
                        in.getCreatePartitions().getValidateOnly());
            case ALTER_CONFIGS -> alterConfigs(in.getAlterConfigs());
            case ALTER_CLIENTS -> KafkaRecordCodec.read(in.getAlterClients());
            case ALLOCATE_PRODUCER_IDS ->
                new Command.AllocateProducerIds(
                        in.getAllocateProducerIds().getNodeId(),
                        in.getAllocateProducerIds().getNodeEpoch());
            case OPEN_STREAMS -> openStreams(in.getOpenStreams());
            case CREATE_EXTENT ->
                new Command.CreateExtent(
                        in.getCreateExtent().getNodeId(),
                        in.getCreateExtent().getNodeEpoch(),
                        in.getCreateExtent().getLane(),
                        Protos.stores(in.getCreateExtent().getAvoidList()));
            case SEAL_EXTENT ->
                new Command.SealExtent(
                        in.getSealExtent().getExtentId(),
                        in.getSealExtent().getEpoch(),
                        in.getSealExtent().getLength(),
                        Protos.stores(in.getSealExtent().getHoldersList()));
            case RECOVER_EXTENT ->
                new Command.RecoverExtent(
                        in.getRecoverExtent().getExtentId(),
                        in.getRecoverExtent().getRecovererNodeId(),
                        in.getRecoverExtent().getRecovererNodeEpoch());
            case RELEASE_EXTENT ->
                new Command.ReleaseExtent(
                        in.getReleaseExtent().getExtentId(),
                        Protos.stores(in.getReleaseExtent().getHoldersList()));
            case PREPARE_OBJECTS ->
                new Command.PrepareObjects(
                        in.getPrepareObjects().getNodeId(),
                        in.getPrepareObjects().getNodeEpoch(),
                        in.getPrepareObjects().getCount(),
                        in.getPrepareObjects().getTtlMs());
            case PUBLISH_FLUSH -> publishFlush(in.getPublishFlush());
            case FORGET_OBJECTS ->
                new Command.ForgetObjects(in.getForgetObjects().getObjectIdsList());
            case EXPIRE_OBJECTS ->
                new Command.ExpireObjects(in.getExpireObjects().getObjectIdsList());
            case KAFKA_REQUEST, HELLO, HEARTBEAT, BARRIER, COMMAND_NOT_SET ->
                throw new IllegalArgumentException("not a command: " + in.getCommandCase());
        };
    }

    private static CreateTopics createTopics(Command.CreateTopics command) {
        CreateTopics.Builder builder = CreateTopics.newBuilder().setValidateOnly(command.validateOnly());
        for (Command.CreateTopic topic : command.topics()) {
            builder.addTopics(CreateTopics.NewTopic.newBuilder()
                    .setName(topic.name())
                    .setPartitions(topic.partitions())
                    .setReplicationFactor(topic.replicationFactor())
                    .putAllConfigs(topic.configs())
                    .addAllOwners(topic.owners()));
        }
        return builder.build();
    }

    private static Command.CreateTopics createTopics(CreateTopics command) {
        return new Command.CreateTopics(
                command.getTopicsList().stream()
                        .map(topic -> new Command.CreateTopic(
                                topic.getName(),
                                topic.getPartitions(),
                                (short) topic.getReplicationFactor(),
                                topic.getConfigsMap(),
                                topic.getOwnersList()))
                        .toList(),
                command.getValidateOnly());
    }

    private static AlterConfigs alterConfigs(Command.AlterConfigs command) {
        AlterConfigs.Builder builder = AlterConfigs.newBuilder()
                .setResourceType(command.resourceType())
                .setResourceName(command.resourceName());
        for (Map.Entry<String, @Nullable String> change : command.changes().entrySet()) {
            String value = change.getValue();
            if (value == null) {
                builder.addRemoved(change.getKey());
            } else {
                builder.putSet(change.getKey(), value);
            }
        }
        @Nullable Map<String, String> before = command.before();
        if (before != null) {
            builder.setBefore(AlterConfigs.Configs.newBuilder().putAllValues(before));
        }
        return builder.build();
    }

    private static Command.AlterConfigs alterConfigs(AlterConfigs command) {
        Map<String, @Nullable String> changes = new HashMap<>(command.getSetMap());
        command.getRemovedList().forEach(name -> changes.put(name, null));
        return new Command.AlterConfigs(
                (byte) command.getResourceType(),
                command.getResourceName(),
                changes,
                command.hasBefore() ? command.getBefore().getValuesMap() : null);
    }

    private static OpenStreams openStreams(Command.OpenStreams command) {
        OpenStreams.Builder builder =
                OpenStreams.newBuilder().setNodeId(command.nodeId()).setNodeEpoch(command.nodeEpoch());
        for (Command.Claim claim : command.claims()) {
            builder.addStreamIds(claim.streamId())
                    .addEndOffsets(claim.endOffset())
                    .addEpochs(claim.epoch());
        }
        return builder.build();
    }

    private static Command.OpenStreams openStreams(OpenStreams command) {
        List<Command.Claim> claims = new ArrayList<>(command.getStreamIdsCount());
        for (int i = 0; i < command.getStreamIdsCount(); i++) {
            int epoch = i < command.getEpochsCount() ? command.getEpochs(i) : Command.Claim.EPOCH_NOT_SAID;
            claims.add(new Command.Claim(command.getStreamIds(i), command.getEndOffsets(i), epoch));
        }
        return new Command.OpenStreams(command.getNodeId(), command.getNodeEpoch(), claims);
    }

    private static MoveStreams moveStreams(Command.MoveStreams command) {
        MoveStreams.Builder builder = MoveStreams.newBuilder().setPinned(command.pinned());
        for (Command.Move move : command.moves()) {
            builder.addStreamIds(move.streamId()).addTargets(move.targetNodeId());
        }
        return builder.build();
    }

    private static Command.MoveStreams moveStreams(MoveStreams command) {
        List<Command.Move> moves = new ArrayList<>(command.getStreamIdsCount());
        for (int i = 0; i < command.getStreamIdsCount(); i++) {
            moves.add(new Command.Move(command.getStreamIds(i), command.getTargets(i)));
        }
        return new Command.MoveStreams(moves, command.getPinned());
    }

    private static ResignStreams resignStreams(Command.ResignStreams command) {
        ResignStreams.Builder builder =
                ResignStreams.newBuilder().setNodeId(command.nodeId()).setNodeEpoch(command.nodeEpoch());
        for (Command.Resignation stream : command.streams()) {
            builder.addStreamIds(stream.streamId())
                    .addEndOffsets(stream.endOffset())
                    .addExtentIds(stream.checkpointExtentId())
                    .addPositions(stream.checkpointPosition())
                    .addLengths(stream.checkpointLength());
        }
        return builder.build();
    }

    private static Command.ResignStreams resignStreams(ResignStreams command) {
        List<Command.Resignation> streams = new ArrayList<>(command.getStreamIdsCount());
        for (int i = 0; i < command.getStreamIdsCount(); i++) {
            streams.add(new Command.Resignation(
                    command.getStreamIds(i),
                    command.getEndOffsets(i),
                    command.getExtentIds(i),
                    command.getPositions(i),
                    command.getLengths(i)));
        }
        return new Command.ResignStreams(command.getNodeId(), command.getNodeEpoch(), streams);
    }

    private static PublishMerge publishMerge(Command.PublishMerge command) {
        PublishMerge.Builder builder = PublishMerge.newBuilder()
                .setNodeId(command.nodeId())
                .setNodeEpoch(command.nodeEpoch())
                .setObjectId(command.objectId())
                .setObjectBytes(command.objectBytes());
        for (Command.MergedRange merged : command.ranges()) {
            builder.addMerged(PublishMerge.Merged.newBuilder()
                    .setRange(Protos.newRange(merged.range()))
                    .addAllInputObjectIds(merged.inputObjectIds())
                    .setCleanedTo(merged.cleanedTo()));
        }
        return builder.build();
    }

    private static Command.PublishMerge publishMerge(PublishMerge command) {
        List<Command.MergedRange> ranges = new ArrayList<>(command.getMergedCount());
        for (PublishMerge.Merged merged : command.getMergedList()) {
            ranges.add(new Command.MergedRange(
                    Protos.newRange(merged.getRange()), merged.getInputObjectIdsList(), merged.getCleanedTo()));
        }
        return new Command.PublishMerge(
                command.getNodeId(), command.getNodeEpoch(), command.getObjectId(), command.getObjectBytes(), ranges);
    }

    private static PublishManifest publishManifest(Command.PublishManifest command) {
        PublishManifest.Builder builder = PublishManifest.newBuilder()
                .setNodeId(command.nodeId())
                .setNodeEpoch(command.nodeEpoch())
                .setStreamId(command.streamId())
                .setObjectId(command.objectId())
                .setObjectBytes(command.objectBytes())
                .setReplacedObjectId(command.replacedObjectId());
        command.ranges().forEach(owned -> builder.addRanges(Protos.ownedRange(owned)));
        return builder.build();
    }

    private static Command.PublishManifest publishManifest(PublishManifest command) {
        return new Command.PublishManifest(
                command.getNodeId(),
                command.getNodeEpoch(),
                command.getStreamId(),
                command.getObjectId(),
                command.getObjectBytes(),
                command.getReplacedObjectId(),
                command.getRangesList().stream().map(Protos::ownedRange).toList());
    }

    private static ReleaseManifest releaseManifest(Command.ReleaseManifest command) {
        ReleaseManifest.Builder builder = ReleaseManifest.newBuilder()
                .setNodeId(command.nodeId())
                .setNodeEpoch(command.nodeEpoch())
                .setStreamId(command.streamId())
                .setObjectId(command.objectId())
                .setRest(command.rest());
        command.released().forEach(owned -> builder.addReleased(Protos.ownedRange(owned)));
        @Nullable OwnedRange next = command.next();
        if (next != null) {
            builder.setNext(Protos.ownedRange(next));
        }
        return builder.build();
    }

    private static Command.ReleaseManifest releaseManifest(ReleaseManifest command) {
        return new Command.ReleaseManifest(
                command.getNodeId(),
                command.getNodeEpoch(),
                command.getStreamId(),
                command.getObjectId(),
                command.getReleasedList().stream().map(Protos::ownedRange).toList(),
                command.hasNext() ? Protos.ownedRange(command.getNext()) : null,
                command.getRest());
    }

    private static TrimStreams trimStreams(Command.TrimStreams command) {
        TrimStreams.Builder builder =
                TrimStreams.newBuilder().setNodeId(command.nodeId()).setNodeEpoch(command.nodeEpoch());
        for (Command.Trim trim : command.trims()) {
            builder.addStreamIds(trim.streamId()).addStartOffsets(trim.logStartOffset());
        }
        return builder.build();
    }

    private static Command.TrimStreams trimStreams(TrimStreams command) {
        List<Command.Trim> trims = new ArrayList<>(command.getStreamIdsCount());
        for (int i = 0; i < command.getStreamIdsCount(); i++) {
            trims.add(new Command.Trim(command.getStreamIds(i), command.getStartOffsets(i)));
        }
        return new Command.TrimStreams(command.getNodeId(), command.getNodeEpoch(), trims);
    }

    private static PublishFlush publishFlush(Command.PublishFlush command) {
        PublishFlush.Builder builder = PublishFlush.newBuilder()
                .setNodeId(command.nodeId())
                .setNodeEpoch(command.nodeEpoch())
                .setExtentId(command.extentId())
                .setObjectId(command.objectId())
                .setObjectBytes(command.objectBytes())
                .setPartial(command.partial());
        for (Command.NewRange range : command.ranges()) {
            builder.addRanges(Protos.newRange(range));
        }
        for (Command.NewCheckpoint checkpoint : command.checkpoints()) {
            builder.addCheckpoints(Checkpoint.newBuilder()
                    .setStreamId(checkpoint.streamId())
                    .setOffset(checkpoint.offset())
                    .setPosition(checkpoint.position())
                    .setLength(checkpoint.length()));
        }
        return builder.build();
    }

    private static Command.PublishFlush publishFlush(PublishFlush command) {
        return new Command.PublishFlush(
                command.getNodeId(),
                command.getNodeEpoch(),
                command.getExtentId(),
                command.getObjectId(),
                command.getObjectBytes(),
                command.getRangesList().stream().map(Protos::newRange).toList(),
                command.getCheckpointsList().stream()
                        .map(checkpoint -> new Command.NewCheckpoint(
                                checkpoint.getStreamId(),
                                checkpoint.getOffset(),
                                checkpoint.getPosition(),
                                checkpoint.getLength()))
                        .toList(),
                command.getPartial());
    }
}
