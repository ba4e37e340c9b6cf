package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RawClient;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.command.CommandCodec;
import io.catchment.controlplane.proto.Answer;
import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import io.catchment.controlplane.rpc.CommandFrames;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignablePartition;
import org.apache.kafka.common.message.AlterPartitionReassignmentsRequestData.ReassignableTopic;
import org.apache.kafka.common.message.AlterPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDir;
import org.apache.kafka.common.message.AlterReplicaLogDirsRequestData.AlterReplicaLogDirTopic;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData.DescribableLogDirTopic;
import org.apache.kafka.common.message.DescribeLogDirsResponseData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsResult;
import org.apache.kafka.common.message.DescribeQuorumRequestData;
import org.apache.kafka.common.message.DescribeQuorumResponseData;
import org.apache.kafka.common.message.ElectLeadersRequestData;
import org.apache.kafka.common.message.ElectLeadersRequestData.TopicPartitions;
import org.apache.kafka.common.message.ElectLeadersResponseData;
import org.apache.kafka.common.message.ListConfigResourcesRequestData;
import org.apache.kafka.common.message.ListConfigResourcesResponseData;
import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UnregisterBrokerResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/** What administrators ask of the nodes of a cluster, and of where partitions are. */
final class ClusterExchanges {
    private static final byte TOPIC = 2;

    private final String topic;
    private final int controllerPort;
    private final AtomicInteger nodes = new AtomicInteger(100);

    ClusterExchanges(String topic, int controllerPort) {
        this.topic = topic;
        this.controllerPort = controllerPort;
    }

    List<Exchange> all() {
        return List.of(
                Exchange.of(ApiKeys.ALTER_PARTITION_REASSIGNMENTS, Errors.NONE, (client, version) -> assertThat(
                                reassign(client, version, List.of(1)))
                        .isEqualTo(Errors.NONE)),
                Exchange.of(
                        ApiKeys.ALTER_PARTITION_REASSIGNMENTS,
                        Errors.INVALID_REPLICA_ASSIGNMENT,
                        (client, version) -> assertThat(reassign(client, version, List.of(9)))
                                .isEqualTo(Errors.INVALID_REPLICA_ASSIGNMENT)),
                Exchange.of(
                        ApiKeys.ALTER_PARTITION_REASSIGNMENTS,
                        Errors.NO_REASSIGNMENT_IN_PROGRESS,
                        (client, version) -> assertThat(reassign(client, version, null))
                                .isEqualTo(Errors.NO_REASSIGNMENT_IN_PROGRESS)),
                Exchange.of(ApiKeys.LIST_PARTITION_REASSIGNMENTS, Errors.NONE, (client, version) -> {
                    ListPartitionReassignmentsResponseData answer = client.call(
                            ApiKeys.LIST_PARTITION_REASSIGNMENTS,
                            version,
                            new ListPartitionReassignmentsRequestData().setTopics(null));
                    assertThat(answer.errorCode()).isZero();
                    assertThat(answer.topics()).isEmpty();
                }),
                Exchange.of(ApiKeys.DESCRIBE_LOG_DIRS, Errors.NONE, (client, version) -> {
                    DescribeLogDirsResult directory = logDir(client, version);
                    assertThat(directory.errorCode()).isZero();
                    assertThat(directory.topics()).hasSize(1);
                    assertThat(directory.topics().get(0).partitions()).hasSize(1);
                    assertThat(directory.totalBytes() > 0).isEqualTo(version >= 4);
                }),
                Exchange.of(ApiKeys.ALTER_REPLICA_LOG_DIRS, Errors.NONE, (client, version) -> assertThat(alterDir(
                                client,
                                version,
                                logDir(client, ApiKeys.DESCRIBE_LOG_DIRS.latestVersion())
                                        .logDir()))
                        .isEqualTo(Errors.NONE)),
                Exchange.of(ApiKeys.ALTER_REPLICA_LOG_DIRS, Errors.LOG_DIR_NOT_FOUND, (client, version) -> assertThat(
                                alterDir(client, version, "/nowhere"))
                        .isEqualTo(Errors.LOG_DIR_NOT_FOUND)),
                Exchange.of(
                        ApiKeys.ELECT_LEADERS, Errors.NONE, (client, version) -> assertThat(elect(client, version, 0))
                                .isEqualTo(Errors.ELECTION_NOT_NEEDED)),
                Exchange.of(ApiKeys.ELECT_LEADERS, Errors.UNKNOWN_TOPIC_OR_PARTITION, (client, version) -> assertThat(
                                elect(client, version, 77))
                        .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION)),
                Exchange.of(ApiKeys.DESCRIBE_QUORUM, Errors.NONE, (client, version) -> {
                    DescribeQuorumResponseData.PartitionData quorum =
                            quorum(client, version, Topic.CLUSTER_METADATA_TOPIC_NAME);
                    assertThat(Errors.forCode(quorum.errorCode())).isEqualTo(Errors.NONE);
                    assertThat(quorum.leaderId()).isEqualTo(1);
                    assertThat(quorum.currentVoters()).hasSize(1);
                }),
                Exchange.of(ApiKeys.DESCRIBE_QUORUM, Errors.UNKNOWN_TOPIC_OR_PARTITION, (client, version) -> assertThat(
                                Errors.forCode(quorum(client, version, topic).errorCode()))
                        .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION)),
                Exchange.of(ApiKeys.LIST_CONFIG_RESOURCES, Errors.NONE, (client, version) -> {
                    ListConfigResourcesResponseData answer =
                            client.call(ApiKeys.LIST_CONFIG_RESOURCES, version, new ListConfigResourcesRequestData());
                    assertThat(answer.errorCode()).isZero();
                    assertThat(answer.configResources().stream()
                                    .anyMatch(found -> found.resourceType() == TOPIC
                                            && found.resourceName().equals(topic)))
                            .isEqualTo(version > 0);
                }),
                new Exchange(ApiKeys.LIST_CONFIG_RESOURCES, Errors.UNSUPPORTED_VERSION, 1, (client, version) -> {
                    ListConfigResourcesResponseData answer = client.call(
                            ApiKeys.LIST_CONFIG_RESOURCES,
                            version,
                            new ListConfigResourcesRequestData().setResourceTypes(List.of((byte) 99)));
                    assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.UNSUPPORTED_VERSION);
                }),
                Exchange.of(ApiKeys.UNREGISTER_BROKER, Errors.NONE, (client, version) -> {
                    int node = goneNode(client);
                    assertThat(unregister(client, version, node)).isEqualTo(Errors.NONE);
                    assertThat(unregister(client, version, node)).isEqualTo(Errors.BROKER_ID_NOT_REGISTERED);
                }),
                Exchange.of(ApiKeys.UNREGISTER_BROKER, Errors.INVALID_REQUEST, (client, version) -> assertThat(
                                unregister(client, version, 1))
                        .isEqualTo(Errors.INVALID_REQUEST)));
    }

    private Errors reassign(RawClient client, short version, @Nullable List<Integer> replicas) throws IOException {
        AlterPartitionReassignmentsResponseData answer = client.call(
                ApiKeys.ALTER_PARTITION_REASSIGNMENTS,
                version,
                new AlterPartitionReassignmentsRequestData()
                        .setTimeoutMs(10_000)
                        .setTopics(List.of(new ReassignableTopic()
                                .setName(topic)
                                .setPartitions(List.of(new ReassignablePartition()
                                        .setPartitionIndex(0)
                                        .setReplicas(replicas))))));
        assertThat(answer.errorCode()).isZero();
        return Errors.forCode(answer.responses().get(0).partitions().get(0).errorCode());
    }

    private Errors elect(RawClient client, short version, int partition) throws IOException {
        ElectLeadersRequestData data = new ElectLeadersRequestData().setTimeoutMs(10_000);
        data.topicPartitions().add(new TopicPartitions().setTopic(topic).setPartitions(List.of(partition)));
        ElectLeadersResponseData answer = client.call(ApiKeys.ELECT_LEADERS, version, data);
        assertThat(answer.errorCode()).isZero();
        return Errors.forCode(
                answer.replicaElectionResults().get(0).partitionResult().get(0).errorCode());
    }

    private DescribeLogDirsResult logDir(RawClient client, short version) throws IOException {
        DescribeLogDirsRequestData data = new DescribeLogDirsRequestData();
        data.topics().add(new DescribableLogDirTopic().setTopic(topic).setPartitions(List.of(0)));
        DescribeLogDirsResponseData answer = client.call(ApiKeys.DESCRIBE_LOG_DIRS, version, data);
        assertThat(answer.errorCode()).isZero();
        assertThat(answer.results()).hasSize(1);
        return answer.results().get(0);
    }

    private Errors alterDir(RawClient client, short version, String path) throws IOException {
        AlterReplicaLogDir directory = new AlterReplicaLogDir().setPath(path);
        directory.topics().add(new AlterReplicaLogDirTopic().setName(topic).setPartitions(List.of(0)));
        AlterReplicaLogDirsRequestData data = new AlterReplicaLogDirsRequestData();
        data.dirs().add(directory);
        AlterReplicaLogDirsResponseData answer = client.call(ApiKeys.ALTER_REPLICA_LOG_DIRS, version, data);
        return Errors.forCode(answer.results().get(0).partitions().get(0).errorCode());
    }

    private static DescribeQuorumResponseData.PartitionData quorum(RawClient client, short version, String name)
            throws IOException {
        DescribeQuorumResponseData answer = client.call(
                ApiKeys.DESCRIBE_QUORUM,
                version,
                new DescribeQuorumRequestData()
                        .setTopics(List.of(new DescribeQuorumRequestData.TopicData()
                                .setTopicName(name)
                                .setPartitions(
                                        List.of(new DescribeQuorumRequestData.PartitionData().setPartitionIndex(0))))));
        assertThat(answer.errorCode()).isZero();
        return answer.topics().get(0).partitions().get(0);
    }

    private static Errors unregister(RawClient client, short version, int node) throws IOException {
        UnregisterBrokerResponseData answer =
                client.call(ApiKeys.UNREGISTER_BROKER, version, new UnregisterBrokerRequestData().setBrokerId(node));
        return Errors.forCode(answer.errorCode());
    }

    /** A node that was there for a moment and said goodbye, so that there is one to be unregistered. */
    private int goneNode(RawClient client) throws IOException {
        DescribeClusterResponseData cluster =
                client.call(ApiKeys.DESCRIBE_CLUSTER, (short) 2, new DescribeClusterRequestData());
        int node = nodes.incrementAndGet();
        Answer registered = command(
                cluster.clusterId(),
                new Command.RegisterNode(
                        node, "store-" + node, List.of(), "elsewhere", List.of("wal"), Uuid.randomUuid()));
        command(
                cluster.clusterId(),
                new Command.UnregisterNode(node, registered.getNodeEpoch().getEpoch()));
        return node;
    }

    private Answer command(String clusterId, Command<?> command) throws IOException {
        CommandRequest.Builder request = CommandRequest.newBuilder()
                .setClusterId(clusterId)
                .setSessionId(Uuid.randomUuid().getLeastSignificantBits())
                .setSequence(1)
                .setAckedBelow(1);
        CommandCodec.write(command, request);
        ByteBuffer frame = CommandFrames.writeRequest(1, request.build());
        try (RawClient controller = new RawClient(controllerPort)) {
            controller.send(ByteBuffer.allocate(4 + frame.remaining())
                    .putInt(frame.remaining())
                    .put(frame)
                    .array());
            DataInputStream in = new DataInputStream(controller.socket().getInputStream());
            byte[] answer = new byte[in.readInt()];
            in.readFully(answer);
            CommandResponse response =
                    CommandFrames.readResponse(ByteBuffer.wrap(answer)).body();
            assertThat(response.getStatus()).as(response.getMessage()).isEqualTo(CommandResponse.Status.DONE);
            return response.getAnswer();
        }
    }
}
