package io.catchment.broker.produce;

import io.catchment.broker.leader.Leader;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.TopicState;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.LeaderIdAndEpoch;
import org.apache.kafka.common.message.ProduceResponseData.NodeEndpoint;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.Errors;

/** Tells a producer that came to the wrong node who the right one is (KIP-951). Of one thread; made only when there is one to tell. */
final class LeaderHints {
    private static final short FIRST_VERSION = 10;

    private final ClusterImage image;
    private final String listener;
    private final ProduceResponseData response;

    LeaderHints(ClusterImage image, String listener, ProduceResponseData response) {
        this.image = image;
        this.listener = listener;
        this.response = response;
    }

    static boolean wanted(PartitionProduceResponse outcome, short version) {
        return outcome.errorCode() == Errors.NOT_LEADER_OR_FOLLOWER.code() && version >= FIRST_VERSION;
    }

    void add(TopicProduceData topic, int partition, PartitionProduceResponse outcome) {
        TopicState state = (topic.topicId().equals(Uuid.ZERO_UUID)
                        ? image.topic(topic.name())
                        : image.topic(topic.topicId()))
                .orElse(null);
        Leader leader = state == null ? Leader.UNKNOWN : Leader.of(image, state, partition, listener);
        outcome.setCurrentLeader(
                new LeaderIdAndEpoch().setLeaderId(leader.nodeId()).setLeaderEpoch(leader.epoch()));
        Node node = leader.endpoint();
        if (node != null && response.nodeEndpoints().find(node.id()) == null) {
            response.nodeEndpoints()
                    .add(new NodeEndpoint()
                            .setNodeId(node.id())
                            .setHost(node.host())
                            .setPort(node.port())
                            .setRack(node.rack()));
        }
    }
}
