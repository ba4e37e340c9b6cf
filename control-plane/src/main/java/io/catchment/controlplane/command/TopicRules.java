package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.CreateTopic;
import io.catchment.controlplane.Command.CreatedTopic;
import io.catchment.controlplane.Command.ItemError;
import io.catchment.controlplane.Command.ItemResult;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.TopicState;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.placement.OwnerPlacement;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.proto.StreamsCreated;
import io.catchment.controlplane.proto.StreamsDropped;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.Protos;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.RemoveTopicRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.jspecify.annotations.Nullable;

/** Topics and their partitions. */
final class TopicRules {
    /** Partitions that one command may create, as in Kafka: its records must fit into one batch. */
    static final int PARTITIONS_MAX = 10_000;

    private TopicRules() {}

    static Decision<List<CreatedTopic>> create(Command.CreateTopics command, Draft draft) {
        ClusterState before = draft.state();
        List<CreatedTopic> results = new ArrayList<>();
        int partitions = 0;
        for (CreateTopic topic : command.topics()) {
            partitions += Math.max(0, Math.min(topic.partitions(), PARTITIONS_MAX + 1));
            @Nullable ItemError error = check(topic, draft);
            if (error == null && partitions > PARTITIONS_MAX) {
                error = new ItemError(
                        Reason.INVALID,
                        "more than " + PARTITIONS_MAX + " partitions in one request; create topic " + topic.name()
                                + " with fewer and add partitions in further requests");
            }
            if (error != null) {
                results.add(new CreatedTopic(topic.name(), Uuid.ZERO_UUID, topic.partitions(), error));
            } else {
                results.add(new CreatedTopic(topic.name(), add(topic, draft), topic.partitions(), null));
            }
        }
        if (command.validateOnly()) {
            return new Decision.Accepted<>(
                    results.stream()
                            .map(result -> new CreatedTopic(
                                    result.name(), Uuid.ZERO_UUID, result.partitions(), result.error()))
                            .toList(),
                    List.of(),
                    before);
        }
        return draft.accept(List.copyOf(results));
    }

    static Decision<List<ItemResult>> delete(Command.DeleteTopics command, Draft draft) {
        List<ItemResult> results = new ArrayList<>();
        for (Uuid topicId : command.topicIds()) {
            @Nullable TopicState topic = draft.state().topic(topicId).orElse(null);
            if (topic == null) {
                results.add(new ItemResult(
                        topicId.toString(), new ItemError(Reason.NOT_FOUND, "there is no topic with id " + topicId)));
                continue;
            }
            draft.add(List.of(
                    LogRecord.own(Record.newBuilder()
                            .setStreamsDropped(StreamsDropped.newBuilder()
                                    .setTopicId(Protos.uuid(topic.topicId()))
                                    .setAtMs(draft.conditions().nowMs()))),
                    LogRecord.kafka(new RemoveTopicRecord().setTopicId(topic.topicId()), (short) 0)));
            results.add(new ItemResult(topic.name(), null));
        }
        return draft.accept(List.copyOf(results));
    }

    static Decision<Command.Done> createPartitions(Command.CreatePartitions command, Draft draft) {
        TopicState topic = draft.state().topics().get(command.topic());
        if (topic == null) {
            return Draft.refuse(Reason.NOT_FOUND, "topic " + command.topic() + " does not exist");
        }
        int present = topic.streams().size();
        int added = command.totalCount() - present;
        if (added <= 0) {
            return Draft.refuse(
                    Reason.INVALID,
                    "topic " + command.topic() + " has " + present + " partitions, " + command.totalCount()
                            + " would not be an increase");
        }
        if (added > PARTITIONS_MAX) {
            return Draft.refuse(Reason.INVALID, "more than " + PARTITIONS_MAX + " new partitions in one request");
        }
        @Nullable String objection = checkOwners(command.owners(), added, draft);
        if (objection != null) {
            return Draft.refuse(Reason.INVALID, "topic " + command.topic() + ": " + objection);
        }
        if (command.validateOnly()) {
            return draft.accept(new Command.Done());
        }
        draft.add(List.of(streams(draft, topic.topicId(), present, added, command.owners())));
        return draft.accept(new Command.Done());
    }

    private static @Nullable ItemError check(CreateTopic topic, Draft draft) {
        try {
            Topic.validate(topic.name());
        } catch (InvalidTopicException e) {
            return new ItemError(Reason.INVALID, String.valueOf(e.getMessage()));
        }
        if (draft.state().topics().containsKey(topic.name())) {
            return new ItemError(Reason.ALREADY_EXISTS, "topic " + topic.name() + " exists already");
        }
        @Nullable String colliding = draft.state().collidingNames().get(Topic.unifyCollisionChars(topic.name()));
        if (colliding != null) {
            return new ItemError(
                    Reason.INVALID,
                    "topic " + topic.name() + " collides with topic " + colliding + ": '.' and '_' count as equal");
        }
        if (topic.partitions() < 1) {
            return new ItemError(
                    Reason.INVALID, "topic " + topic.name() + " cannot have " + topic.partitions() + " partitions");
        }
        @Nullable String tooLong = ConfigRules.tooLong(topic.configs());
        if (tooLong != null) {
            return new ItemError(Reason.INVALID, "topic " + topic.name() + ": " + tooLong);
        }
        @Nullable String objection = checkOwners(topic.owners(), topic.partitions(), draft);
        return objection == null ? null : new ItemError(Reason.INVALID, "topic " + topic.name() + ": " + objection);
    }

    /** A manual assignment names a registered broker for each partition; whether it is up does not matter, as in Kafka. */
    private static @Nullable String checkOwners(List<Integer> owners, int partitions, Draft draft) {
        if (owners.isEmpty()) {
            return null;
        }
        if (owners.size() != partitions) {
            return owners.size() + " owners for " + partitions + " partitions";
        }
        for (int owner : owners) {
            if (!OwnerPlacement.isBroker(draft.state().nodes().get(owner))) {
                return "node " + owner + " is not a registered broker";
            }
        }
        return null;
    }

    private static Uuid add(CreateTopic topic, Draft draft) {
        Uuid topicId = draft.conditions().newTopicId().get();
        List<LogRecord> records = new ArrayList<>();
        records.add(LogRecord.kafka(new TopicRecord().setName(topic.name()).setTopicId(topicId), (short) 0));
        topic.configs()
                .forEach((name, value) -> records.add(LogRecord.kafka(
                        new ConfigRecord()
                                .setResourceType(ConfigResource.Type.TOPIC.id())
                                .setResourceName(topic.name())
                                .setName(name)
                                .setValue(value),
                        (short) 0)));
        records.add(streams(draft, topicId, 0, topic.partitions(), topic.owners()));
        draft.add(records);
        return topicId;
    }

    private static LogRecord streams(Draft draft, Uuid topicId, int firstPartition, int count, List<Integer> owners) {
        return LogRecord.own(Record.newBuilder()
                .setStreamsCreated(StreamsCreated.newBuilder()
                        .setTopicId(Protos.uuid(topicId))
                        .setFirstPartition(firstPartition)
                        .setFirstStreamId(draft.state().nextStreamId())
                        .setPinned(!owners.isEmpty())
                        .addAllOwners(
                                owners.isEmpty()
                                        ? OwnerPlacement.choose(
                                                draft.state(),
                                                draft.conditions().figures(),
                                                count)
                                        : owners)));
    }
}
