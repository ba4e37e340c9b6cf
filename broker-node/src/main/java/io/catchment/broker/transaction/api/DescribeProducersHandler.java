package io.catchment.broker.transaction.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.partition.OwnedPartitions;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.message.DescribeProducersResponseData.PartitionResponse;
import org.apache.kafka.common.message.DescribeProducersResponseData.ProducerState;
import org.apache.kafka.common.message.DescribeProducersResponseData.TopicResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.DescribeProducersRequest;
import org.apache.kafka.common.requests.DescribeProducersResponse;
import org.apache.kafka.storage.internals.log.BatchMetadata;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;

/** DescribeProducers (KIP-664): who writes to a partition, and since which offset a transaction is under way. Immutable. */
final class DescribeProducersHandler implements ApiHandler {
    private static final long NONE = -1;

    private final OwnedPartitions partitions;
    private final Supplier<ClusterImage> image;

    DescribeProducersHandler(OwnedPartitions partitions, Supplier<ClusterImage> image) {
        this.partitions = partitions;
        this.image = image;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_PRODUCERS;
    }

    @Override
    public void handle(Request request) {
        DescribeProducersRequestData data = ((DescribeProducersRequest) request.body()).data();
        List<CompletionStage<TopicResponse>> topics =
                data.topics().stream().map(this::topic).toList();
        Answering.with(
                request,
                Answering.all(topics),
                all -> new DescribeProducersResponse(new DescribeProducersResponseData().setTopics(all)));
    }

    private CompletionStage<TopicResponse> topic(TopicRequest asked) {
        List<CompletionStage<PartitionResponse>> described = asked.partitionIndexes().stream()
                .map(index -> partition(asked.name(), index))
                .toList();
        return Answering.all(described)
                .thenApply(all -> new TopicResponse().setName(asked.name()).setPartitions(all));
    }

    private CompletionStage<PartitionResponse> partition(String topic, int index) {
        PartitionView view = partitions.find(topic, index);
        if (view == null || !view.serving()) {
            boolean exists = image.get()
                    .topic(topic)
                    .filter(known -> index >= 0 && index < known.streams().size())
                    .isPresent();
            Errors error = exists ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.UNKNOWN_TOPIC_OR_PARTITION;
            return CompletableFuture.completedFuture(new PartitionResponse()
                    .setPartitionIndex(index)
                    .setErrorCode(error.code())
                    .setErrorMessage(error.message()));
        }
        return partitions.producers(view).thenApply(producers -> described(index, producers));
    }

    private static PartitionResponse described(int index, Collection<ProducerStateEntry> producers) {
        List<ProducerState> states = new ArrayList<>(producers.size());
        for (ProducerStateEntry producer : producers) {
            int lastSequence = RecordBatch.NO_SEQUENCE;
            for (BatchMetadata batch : producer.batchMetadata()) {
                lastSequence = batch.lastSeq();
            }
            states.add(new ProducerState()
                    .setProducerId(producer.producerId())
                    .setProducerEpoch(producer.producerEpoch())
                    .setLastSequence(lastSequence)
                    .setLastTimestamp(producer.lastTimestamp())
                    .setCoordinatorEpoch(producer.coordinatorEpoch())
                    .setCurrentTxnStartOffset(producer.currentTxnFirstOffset().orElse(NONE)));
        }
        return new PartitionResponse().setPartitionIndex(index).setActiveProducers(states);
    }
}
