package io.catchment.broker.group;

import io.catchment.broker.leader.Leader;
import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.peer.PeerRequests;
import io.catchment.controlplane.ClusterImage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsTopicResponse;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.requests.ListOffsetsResponse;
import org.apache.kafka.server.util.PartitionMetadataClient;
import org.jspecify.annotations.Nullable;

/** End offsets of partitions wherever they are served: the coordinator wants them for the lag of share groups. Thread-safe, holds no state. */
public final class ClusterOffsets implements PartitionMetadataClient {
    private final PartitionDirectory partitions;
    private final Supplier<ClusterImage> image;
    private final PeerRequests peers;
    private final String listener;

    /** @param listener by which nodes reach each other */
    public ClusterOffsets(
            PartitionDirectory partitions, Supplier<ClusterImage> image, PeerRequests peers, String listener) {
        this.partitions = partitions;
        this.image = image;
        this.peers = peers;
        this.listener = listener;
    }

    @Override
    public Map<TopicPartition, CompletableFuture<OffsetResponse>> listLatestOffsets(Set<TopicPartition> asked) {
        Map<TopicPartition, CompletableFuture<OffsetResponse>> answers = new HashMap<>();
        Map<Node, List<TopicPartition>> elsewhere = new HashMap<>();
        for (TopicPartition partition : asked) {
            CompletableFuture<OffsetResponse> answer = new CompletableFuture<>();
            answers.put(partition, answer);
            PartitionView view = partitions.find(partition.topic(), partition.partition());
            if (view != null && view.serving()) {
                answer.complete(new OffsetResponse(view.highWatermark(), Errors.NONE));
                continue;
            }
            leader(partition)
                    .ifPresentOrElse(
                            node -> elsewhere
                                    .computeIfAbsent(node, each -> new ArrayList<>())
                                    .add(partition),
                            () -> answer.complete(failed(Errors.LEADER_NOT_AVAILABLE)));
        }
        elsewhere.forEach((node, wanted) -> {
            var unused = peers.send(node, request(wanted))
                    .whenComplete((response, failure) -> complete(answers, wanted, response));
        });
        return answers;
    }

    private Optional<Node> leader(TopicPartition partition) {
        ClusterImage now = image.get();
        return now.topic(partition.topic()).map(topic -> Leader.of(now, topic, partition.partition(), listener)
                .endpoint());
    }

    private static ListOffsetsRequest.Builder request(List<TopicPartition> wanted) {
        Map<String, ListOffsetsTopic> topics = new HashMap<>();
        for (TopicPartition partition : wanted) {
            topics.computeIfAbsent(partition.topic(), name -> new ListOffsetsTopic().setName(name))
                    .partitions()
                    .add(new ListOffsetsPartition()
                            .setPartitionIndex(partition.partition())
                            .setTimestamp(ListOffsetsRequest.LATEST_TIMESTAMP));
        }
        return ListOffsetsRequest.Builder.forConsumer(false, IsolationLevel.READ_UNCOMMITTED)
                .setTargetTimes(List.copyOf(topics.values()));
    }

    private static void complete(
            Map<TopicPartition, CompletableFuture<OffsetResponse>> answers,
            List<TopicPartition> wanted,
            @Nullable AbstractResponse response) {
        if (response instanceof ListOffsetsResponse found) {
            for (ListOffsetsTopicResponse topic : found.topics()) {
                for (ListOffsetsPartitionResponse partition : topic.partitions()) {
                    CompletableFuture<OffsetResponse> answer =
                            answers.get(new TopicPartition(topic.name(), partition.partitionIndex()));
                    if (answer != null) {
                        answer.complete(new OffsetResponse(partition.offset(), Errors.forCode(partition.errorCode())));
                    }
                }
            }
        }
        // What was not answered; completing the others again does nothing
        wanted.forEach(partition -> {
            CompletableFuture<OffsetResponse> answer = answers.get(partition);
            if (answer != null) {
                answer.complete(failed(Errors.NETWORK_EXCEPTION));
            }
        });
    }

    private static OffsetResponse failed(Errors error) {
        return new OffsetResponse(-1, error);
    }

    @Override
    public void close() {}
}
