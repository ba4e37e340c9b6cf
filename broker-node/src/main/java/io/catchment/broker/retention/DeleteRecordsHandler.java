package io.catchment.broker.retention;

import io.catchment.broker.network.Request;
import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topic.TopicConfig;
import io.catchment.broker.topicadmin.Later;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.Trim;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.TopicState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteRecordsResponseData;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsPartitionResult;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DeleteRecordsRequest;
import org.apache.kafka.common.requests.DeleteRecordsResponse;
import org.jspecify.annotations.Nullable;

/**
 * DeleteRecords (KIP-107): the owner has the beginning of its streams moved up, published or not, up to what is acknowledged. Answered
 * when the control plane has it and every reader here is told so.
 */
public final class DeleteRecordsHandler implements ApiHandler {
    private final PartitionDirectory partitions;
    private final ControlPlane controlPlane;
    private final Function<String, TopicConfig> configs;
    private final int nodeId;
    private final long nodeEpoch;

    /** @param configs by topic */
    public DeleteRecordsHandler(
            PartitionDirectory partitions,
            ControlPlane controlPlane,
            Function<String, TopicConfig> configs,
            int nodeId,
            long nodeEpoch) {
        this.partitions = partitions;
        this.controlPlane = controlPlane;
        this.configs = configs;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DELETE_RECORDS;
    }

    private record Key(String topic, int partition) {}

    /** What is to be done to one of them. */
    private record Asked(PartitionView partition, Trim trim) {
        CompletableFuture<Void> begun() {
            return Begun.at(partition, trim.logStartOffset());
        }
    }

    @Override
    public void handle(Request request) {
        DeleteRecordsRequestData body = ((DeleteRecordsRequest) request.body()).data();
        Map<Key, DeleteRecordsPartitionResult> results = new LinkedHashMap<>();
        Map<Key, Asked> trims = new LinkedHashMap<>();
        for (DeleteRecordsTopic topic : body.topics()) {
            for (DeleteRecordsPartition asked : topic.partitions()) {
                look(new Key(topic.name(), asked.partitionIndex()), asked.offset(), results, trims);
            }
        }
        CompletableFuture<?> done = trims.isEmpty()
                ? CompletableFuture.completedFuture(null)
                : trim(trims.values())
                        .toCompletableFuture()
                        .copy()
                        .orTimeout(Math.max(1, body.timeoutMs()), TimeUnit.MILLISECONDS);
        Later.respond(request, done, (answer, failure) -> {
            trims.forEach((key, asked) -> results.put(key, outcome(key, asked.trim(), failure)));
            return new DeleteRecordsResponse(data(results));
        });
    }

    private CompletionStage<Void> trim(Collection<Asked> all) {
        List<Trim> trims = all.stream().map(Asked::trim).toList();
        return controlPlane
                .submit(new Command.TrimStreams(nodeId, nodeEpoch, trims))
                .thenCompose(recorded ->
                        CompletableFuture.allOf(all.stream().map(Asked::begun).toArray(CompletableFuture[]::new)));
    }

    private void look(Key key, long offset, Map<Key, DeleteRecordsPartitionResult> results, Map<Key, Asked> trims) {
        trims.remove(key);
        @Nullable PartitionView view = partitions.find(key.topic(), key.partition());
        if (Topic.isInternal(key.topic())) {
            results.put(key, failed(key, Errors.INVALID_TOPIC_EXCEPTION));
        } else if (view == null || !view.serving()) {
            results.put(key, failed(key, missing(key)));
        } else {
            TopicConfig config = configs.apply(key.topic());
            long end = view.highWatermark();
            long wanted = offset == DeleteRecordsRequest.HIGH_WATERMARK ? end : offset;
            if (config.compacted() && !config.deletes()) {
                results.put(key, failed(key, Errors.POLICY_VIOLATION));
            } else if (wanted < 0 || wanted > end) {
                results.put(key, failed(key, Errors.OFFSET_OUT_OF_RANGE));
            } else {
                results.put(key, done(key, view.logStartOffset()));
                if (wanted > view.logStartOffset()) {
                    trims.put(key, new Asked(view, new Trim(view.streamId(), wanted)));
                }
            }
        }
    }

    private Errors missing(Key key) {
        ClusterImage image = controlPlane.image();
        Optional<TopicState> topic = image.topic(key.topic());
        boolean exists = topic.isPresent()
                && key.partition() >= 0
                && key.partition() < topic.get().streams().size();
        return exists ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.UNKNOWN_TOPIC_OR_PARTITION;
    }

    /** Done as the image shows it: a stream that changed its owner meanwhile was left alone. */
    private DeleteRecordsPartitionResult outcome(Key key, Trim trim, @Nullable Throwable failure) {
        if (failure != null) {
            return failed(key, error(failure));
        }
        return controlPlane.image().stream(trim.streamId())
                .filter(stream -> stream.logStartOffset() >= trim.logStartOffset())
                .map(stream -> done(key, stream.logStartOffset()))
                .orElseGet(() -> failed(key, missing(key)));
    }

    private static Errors error(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof CommandException command) {
            return command.reason() == CommandException.Reason.FENCED
                    ? Errors.NOT_LEADER_OR_FOLLOWER
                    : Errors.REQUEST_TIMED_OUT;
        }
        return cause instanceof TimeoutException ? Errors.REQUEST_TIMED_OUT : Errors.UNKNOWN_SERVER_ERROR;
    }

    private static DeleteRecordsPartitionResult done(Key key, long lowWatermark) {
        return new DeleteRecordsPartitionResult()
                .setPartitionIndex(key.partition())
                .setLowWatermark(lowWatermark);
    }

    private static DeleteRecordsPartitionResult failed(Key key, Errors error) {
        return done(key, DeleteRecordsResponse.INVALID_LOW_WATERMARK).setErrorCode(error.code());
    }

    private static DeleteRecordsResponseData data(Map<Key, DeleteRecordsPartitionResult> results) {
        DeleteRecordsResponseData data = new DeleteRecordsResponseData();
        Map<String, List<DeleteRecordsPartitionResult>> byTopic = new LinkedHashMap<>();
        results.forEach((key, result) ->
                byTopic.computeIfAbsent(key.topic(), name -> new ArrayList<>()).add(result));
        byTopic.forEach((name, partitions) -> {
            DeleteRecordsTopicResult topic = new DeleteRecordsTopicResult().setName(name);
            partitions.forEach(topic.partitions()::add);
            data.topics().add(topic);
        });
        return data;
    }
}
