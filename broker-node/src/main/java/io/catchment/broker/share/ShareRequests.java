package io.catchment.broker.share;

import io.catchment.broker.leader.Leader;
import io.catchment.broker.share.partition.Appetite;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ShareAcknowledgeRequestData;
import org.apache.kafka.common.message.ShareAcknowledgeResponseData;
import org.apache.kafka.common.message.ShareFetchRequestData;
import org.apache.kafka.common.message.ShareFetchResponseData;
import org.apache.kafka.common.message.ShareFetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.ShareAcknowledgeResponse;
import org.apache.kafka.common.requests.ShareFetchResponse;
import org.apache.kafka.server.share.acknowledge.ShareAcknowledgementBatch;

/** Between the form of Kafka's messages and the one used here. Pure functions. */
final class ShareRequests {
    private ShareRequests() {}

    static Appetite appetite(ShareFetchRequestData data, byte strictMode) {
        return new Appetite(data.maxRecords(), Math.max(1, data.batchSize()), data.shareAcquireMode() == strictMode);
    }

    /** Partitions without any are left out. */
    static Map<TopicIdPartition, List<ShareAcknowledgementBatch>> batches(ShareFetchRequestData data) {
        Map<TopicIdPartition, List<ShareAcknowledgementBatch>> all = new LinkedHashMap<>();
        data.topics().forEach(topic -> topic.partitions()
                .forEach(partition -> put(
                        all,
                        topic.topicId(),
                        partition.partitionIndex(),
                        partition.acknowledgementBatches().stream()
                                .map(batch -> new ShareAcknowledgementBatch(
                                        batch.firstOffset(), batch.lastOffset(), batch.acknowledgeTypes()))
                                .toList())));
        return all;
    }

    static Map<TopicIdPartition, List<ShareAcknowledgementBatch>> batches(ShareAcknowledgeRequestData data) {
        Map<TopicIdPartition, List<ShareAcknowledgementBatch>> all = new LinkedHashMap<>();
        data.topics().forEach(topic -> topic.partitions()
                .forEach(partition -> put(
                        all,
                        topic.topicId(),
                        partition.partitionIndex(),
                        partition.acknowledgementBatches().stream()
                                .map(batch -> new ShareAcknowledgementBatch(
                                        batch.firstOffset(), batch.lastOffset(), batch.acknowledgeTypes()))
                                .toList())));
        return all;
    }

    private static void put(
            Map<TopicIdPartition, List<ShareAcknowledgementBatch>> all,
            Uuid topicId,
            int partition,
            List<ShareAcknowledgementBatch> batches) {
        if (!batches.isEmpty()) {
            all.put(byId(topicId, partition), batches);
        }
    }

    /** Partitions go by id here; the name would only be for people. */
    @SuppressWarnings("NullAway") // as Kafka itself has partitions whose topic it does not know
    static TopicIdPartition byId(Uuid topicId, int partition) {
        return new TopicIdPartition(topicId, new TopicPartition(null, partition));
    }

    static ShareFetchResponse response(
            Map<TopicIdPartition, PartitionData> found,
            Map<TopicIdPartition, ApiError> outcomes,
            Function<TopicIdPartition, Leader> leaders,
            int lockMs) {
        LinkedHashMap<TopicIdPartition, PartitionData> answers = new LinkedHashMap<>();
        Map<Integer, Node> nodes = new HashMap<>();
        found.forEach((partition, answer) -> {
            if (pointsElsewhere(answer.errorCode())) {
                Leader leader = leaders.apply(partition);
                answer.setCurrentLeader(new ShareFetchResponseData.LeaderIdAndEpoch()
                        .setLeaderId(leader.nodeId())
                        .setLeaderEpoch(leader.epoch()));
                note(leader, nodes);
            }
            answers.put(byId(partition.topicId(), partition.partition()), answer);
        });
        outcomes.forEach((partition, outcome) -> answers.computeIfAbsent(
                        byId(partition.topicId(), partition.partition()), key -> new PartitionData()
                                .setPartitionIndex(key.partition())
                                .setRecords(MemoryRecords.EMPTY))
                .setAcknowledgeErrorCode(outcome.error().code())
                .setAcknowledgeErrorMessage(outcome.isFailure() ? outcome.messageWithFallback() : null));
        return ShareFetchResponse.of(Errors.NONE, 0, answers, List.copyOf(nodes.values()), lockMs);
    }

    static ShareAcknowledgeResponse acknowledged(
            Map<TopicIdPartition, ApiError> outcomes, Function<TopicIdPartition, Leader> leaders, int lockMs) {
        ShareAcknowledgeResponseData data = new ShareAcknowledgeResponseData().setAcquisitionLockTimeoutMs(lockMs);
        Map<Integer, Node> nodes = new HashMap<>();
        outcomes.forEach((partition, outcome) -> {
            ShareAcknowledgeResponseData.PartitionData answer = new ShareAcknowledgeResponseData.PartitionData()
                    .setPartitionIndex(partition.partition())
                    .setErrorCode(outcome.error().code())
                    .setErrorMessage(outcome.isFailure() ? outcome.messageWithFallback() : null);
            if (pointsElsewhere(answer.errorCode())) {
                Leader leader = leaders.apply(partition);
                answer.setCurrentLeader(new ShareAcknowledgeResponseData.LeaderIdAndEpoch()
                        .setLeaderId(leader.nodeId())
                        .setLeaderEpoch(leader.epoch()));
                note(leader, nodes);
            }
            ShareAcknowledgeResponseData.ShareAcknowledgeTopicResponse topic =
                    data.responses().find(partition.topicId());
            if (topic == null) {
                topic = new ShareAcknowledgeResponseData.ShareAcknowledgeTopicResponse()
                        .setTopicId(partition.topicId());
                data.responses().add(topic);
            }
            topic.partitions().add(answer);
        });
        nodes.values().forEach(node -> data.nodeEndpoints()
                .add(new ShareAcknowledgeResponseData.NodeEndpoint()
                        .setNodeId(node.id())
                        .setHost(node.host())
                        .setPort(node.port())
                        .setRack(node.rack())));
        return new ShareAcknowledgeResponse(data);
    }

    private static boolean pointsElsewhere(short code) {
        return code == Errors.NOT_LEADER_OR_FOLLOWER.code() || code == Errors.FENCED_LEADER_EPOCH.code();
    }

    private static void note(Leader leader, Map<Integer, Node> nodes) {
        Node node = leader.endpoint();
        if (node != null) {
            nodes.put(node.id(), node);
        }
    }
}
