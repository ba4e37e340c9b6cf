package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.CreatedTopic;
import io.catchment.controlplane.Command.ItemError;
import io.catchment.controlplane.Command.ItemResult;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.proto.Answer;
import io.catchment.controlplane.proto.CommandResponse.Status;
import io.catchment.controlplane.state.Protos;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Answers on the wire and in the memory of commands (rpc.proto). The answer's type follows from its command's. */
public final class AnswerCodec {
    private AnswerCodec() {}

    @SuppressWarnings("unchecked") // a command's answer has the command's answer type
    public static Answer write(Command<?> command, Object answer) {
        Answer.Builder out = Answer.newBuilder();
        if (answer instanceof Command.Done) {
            out.setNothing(Answer.Nothing.getDefaultInstance());
        } else if (answer instanceof Command.NodeEpoch epoch) {
            out.setNodeEpoch(Answer.NodeEpoch.newBuilder().setEpoch(epoch.epoch()));
        } else if (answer instanceof Command.ProducerIdBlock block) {
            out.setProducerIds(
                    Answer.ProducerIds.newBuilder().setFirstId(block.firstId()).setSize(block.size()));
        } else if (answer instanceof ExtentState extent) {
            out.setExtent(Protos.extent(extent));
        } else if (command instanceof Command.CreateTopics) {
            out.setCreatedTopics(createdTopics((List<CreatedTopic>) answer));
        } else if (command instanceof Command.DeleteTopics || command instanceof Command.MoveStreams) {
            out.setItemResults(itemResults((List<ItemResult>) answer));
        } else if (command instanceof Command.OpenStreams || command instanceof Command.ResignStreams) {
            Answer.OpenedStreams.Builder opened = Answer.OpenedStreams.newBuilder();
            ((Map<Long, Integer>) answer)
                    .forEach((stream, epoch) -> opened.addStreamIds(stream).addEpochs(epoch));
            out.setOpenedStreams(opened);
        } else if (command instanceof Command.PrepareObjects) {
            out.setObjectIds(Answer.ObjectIds.newBuilder().addAllIds((List<Long>) answer));
        } else {
            throw new IllegalArgumentException("no wire form for the answer of " + command.getClass());
        }
        return out.build();
    }

    @SuppressWarnings("unchecked") // as above
    public static <R> R read(Command<R> command, Answer in) {
        Object answer =
                switch (in.getKindCase()) {
                    case NOTHING -> new Command.Done();
                    case NODE_EPOCH -> new Command.NodeEpoch(in.getNodeEpoch().getEpoch());
                    case PRODUCER_IDS ->
                        new Command.ProducerIdBlock(
                                in.getProducerIds().getFirstId(),
                                in.getProducerIds().getSize());
                    case EXTENT -> Protos.extent(in.getExtent());
                    case CREATED_TOPICS -> createdTopics(in.getCreatedTopics());
                    case ITEM_RESULTS -> itemResults(in.getItemResults());
                    case OPENED_STREAMS -> openedStreams(in.getOpenedStreams());
                    case OBJECT_IDS -> List.copyOf(in.getObjectIds().getIdsList());
                    case STANDING, KNOWLEDGE, KAFKA_RESPONSE, KIND_NOT_SET ->
                        throw new IllegalArgumentException(
                                "command " + command + " was answered with " + in.getKindCase());
                };
        return (R) answer;
    }

    private static Answer.CreatedTopics createdTopics(List<CreatedTopic> topics) {
        Answer.CreatedTopics.Builder builder = Answer.CreatedTopics.newBuilder();
        for (CreatedTopic topic : topics) {
            Answer.CreatedTopic.Builder item = Answer.CreatedTopic.newBuilder()
                    .setName(topic.name())
                    .setTopicId(Protos.uuid(topic.topicId()))
                    .setPartitions(topic.partitions());
            @Nullable ItemError error = topic.error();
            if (error != null) {
                item.setError(error(error));
            }
            builder.addTopics(item);
        }
        return builder.build();
    }

    private static List<CreatedTopic> createdTopics(Answer.CreatedTopics topics) {
        return topics.getTopicsList().stream()
                .map(topic -> new CreatedTopic(
                        topic.getName(),
                        Protos.uuid(topic.getTopicId()),
                        topic.getPartitions(),
                        topic.hasError() ? error(topic.getError()) : null))
                .toList();
    }

    private static Answer.ItemResults itemResults(List<ItemResult> results) {
        Answer.ItemResults.Builder builder = Answer.ItemResults.newBuilder();
        for (ItemResult result : results) {
            Answer.ItemResult.Builder item = Answer.ItemResult.newBuilder().setName(result.name());
            @Nullable ItemError error = result.error();
            if (error != null) {
                item.setError(error(error));
            }
            builder.addItems(item);
        }
        return builder.build();
    }

    private static List<ItemResult> itemResults(Answer.ItemResults results) {
        return results.getItemsList().stream()
                .map(item -> new ItemResult(item.getName(), item.hasError() ? error(item.getError()) : null))
                .toList();
    }

    private static Answer.ItemError error(ItemError error) {
        return Answer.ItemError.newBuilder()
                .setReason(Status.valueOf(error.reason().name()))
                .setMessage(error.message())
                .build();
    }

    private static ItemError error(Answer.ItemError error) {
        return new ItemError(Reason.valueOf(error.getReason().name()), error.getMessage());
    }

    private static Map<Long, Integer> openedStreams(Answer.OpenedStreams opened) {
        Map<Long, Integer> epochs = new HashMap<>();
        for (int i = 0; i < opened.getStreamIdsCount(); i++) {
            epochs.put(opened.getStreamIds(i), opened.getEpochs(i));
        }
        return Map.copyOf(epochs);
    }
}
