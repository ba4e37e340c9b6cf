package io.catchment.broker.share.partition;

import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.server.share.persister.GroupTopicPartitionData;
import org.apache.kafka.server.share.persister.PartitionAllData;
import org.apache.kafka.server.share.persister.PartitionErrorData;
import org.apache.kafka.server.share.persister.PartitionFactory;
import org.apache.kafka.server.share.persister.PartitionInfoData;
import org.apache.kafka.server.share.persister.Persister;
import org.apache.kafka.server.share.persister.ReadShareGroupStateParameters;
import org.apache.kafka.server.share.persister.TopicData;
import org.apache.kafka.server.share.persister.WriteShareGroupStateParameters;

/** The state of one share partition at its share coordinator, by Kafka's persister. Immutable. */
public final class PersistedState implements StateStore {
    private final Persister persister;
    private final String group;
    private final Uuid topicId;
    private final int partition;

    public PersistedState(Persister persister, String group, Uuid topicId, int partition) {
        this.persister = persister;
        this.group = group;
        this.topicId = topicId;
        this.partition = partition;
    }

    @Override
    public CompletionStage<Stored> read(int leaderEpoch) {
        return persister
                .readState(new ReadShareGroupStateParameters.Builder()
                        .setGroupTopicPartitionData(
                                about(PartitionFactory.newPartitionIdLeaderEpochData(partition, leaderEpoch)))
                        .build())
                .thenApply(result -> {
                    PartitionAllData data = only(result.topicsData());
                    check(data.errorCode(), data.errorMessage());
                    return new Stored(data.stateEpoch(), data.startOffset(), data.stateBatches());
                });
    }

    @Override
    public CompletionStage<Void> write(Write write) {
        return persister
                .writeState(new WriteShareGroupStateParameters.Builder()
                        .setGroupTopicPartitionData(about(PartitionFactory.newPartitionStateBatchData(
                                partition,
                                write.stateEpoch(),
                                write.startOffset(),
                                write.doneCount(),
                                write.leaderEpoch(),
                                write.batches())))
                        .build())
                .thenAccept(result -> {
                    PartitionErrorData data = only(result.topicsData());
                    check(data.errorCode(), data.errorMessage());
                });
    }

    private <P extends PartitionInfoData> GroupTopicPartitionData<P> about(P data) {
        return new GroupTopicPartitionData<>(group, List.of(new TopicData<>(topicId, List.of(data))));
    }

    private <P extends PartitionInfoData> P only(List<TopicData<P>> topics) {
        if (topics.size() != 1
                || !topics.get(0).topicId().equals(topicId)
                || topics.get(0).partitions().size() != 1) {
            throw new IllegalStateException("An answer about other partitions than " + topicId + "-" + partition
                    + " of share group " + group + ": " + topics);
        }
        return topics.get(0).partitions().get(0);
    }

    /** As the members of the group are told. */
    private static void check(short code, String message) {
        Errors error = Errors.forCode(code);
        switch (error) {
            case NONE -> {}
            case NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS ->
                throw Errors.COORDINATOR_NOT_AVAILABLE.exception(message);
            case FENCED_LEADER_EPOCH, FENCED_STATE_EPOCH -> throw Errors.NOT_LEADER_OR_FOLLOWER.exception(message);
            default -> throw known(error, message);
        }
    }

    private static ApiException known(Errors error, String message) {
        ApiException exception = error.exception(message);
        return exception == null ? Errors.UNKNOWN_SERVER_ERROR.exception(message) : exception;
    }
}
