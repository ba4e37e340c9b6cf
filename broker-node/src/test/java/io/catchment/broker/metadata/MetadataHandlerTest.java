package io.catchment.broker.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.broker.topicadmin.TestTopics;
import io.catchment.broker.topicadmin.TopicAutoCreator;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseBroker;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponsePartition;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.MetadataRequest;
import org.apache.kafka.common.requests.MetadataResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MetadataHandlerTest {
    private static final short NEWEST = ApiKeys.METADATA.latestVersion();

    private final FakeControlPlane controlPlane = new FakeControlPlane()
            .withNode(1, "PLAINTEXT", "INTERNAL")
            .withNode(2, "PLAINTEXT", "INTERNAL")
            .withNode(3, "PLAINTEXT");
    private final MetadataHandler handler = handler(true);

    private MetadataHandler handler(boolean autoCreate) {
        return new MetadataHandler(
                controlPlane, new TopicAutoCreator(controlPlane, TestTopics.config()), autoCreate, false);
    }

    static List<Short> versions() {
        return ApiKeys.METADATA.allVersions();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void describesATopicAtEachVersion(short version) {
        createTopic("t", 1, 2, 3);
        MetadataResponseData data = ask(handler, names("t"), version);

        MetadataResponseTopic topic = only(data);
        assertThat(Errors.forCode(topic.errorCode())).isEqualTo(Errors.NONE);
        assertThat(topic.name()).isEqualTo("t");
        if (version >= 10) {
            assertThat(topic.topicId())
                    .isEqualTo(controlPlane.image().topic("t").orElseThrow().topicId());
        }
        assertThat(topic.partitions()).hasSize(3).allSatisfy(partition -> {
            int owner = partition.partitionIndex() + 1;
            assertThat(partition.errorCode()).isEqualTo(Errors.NONE.code());
            assertThat(partition.leaderId()).isEqualTo(owner);
            assertThat(partition.replicaNodes()).containsExactly(owner);
            assertThat(partition.isrNodes()).containsExactly(owner);
            assertThat(partition.offlineReplicas()).isEmpty();
            if (version >= 7) {
                assertThat(partition.leaderEpoch()).isZero();
            }
        });
        assertThat(data.brokers()).extracting(MetadataResponseBroker::nodeId).containsExactly(1, 2, 3);
        if (version >= 1) {
            assertThat(data.controllerId()).isEqualTo(1);
            assertThat(data.brokers().find(2).rack()).isEqualTo("zone-2");
        }
        if (version >= 2) {
            assertThat(data.clusterId()).isEqualTo("fake-cluster");
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void allTopicsCanBeAskedForAtEachVersion(short version) {
        createTopic("a", 1);
        createTopic("b", 2);
        MetadataRequestData all = new MetadataRequestData().setTopics(version == 0 ? new ArrayList<>() : null);

        assertThat(ask(handler, all, version).topics())
                .extracting(MetadataResponseTopic::name)
                .containsExactlyInAnyOrder("a", "b");
    }

    @Test
    void noTopicsAtAllIsAQuestionForBrokersOnly() {
        createTopic("a", 1);
        assertThat(ask(handler, names(), NEWEST).topics()).isEmpty();
    }

    @Test
    void brokersAreToldWithTheEndpointOfTheListenerTheRequestCameInBy() {
        MetadataResponseData outer = ask(handler, names(), NEWEST);
        MetadataResponseData inner = ask(handler, names(), NEWEST, "INTERNAL");

        assertThat(outer.brokers()).extracting(MetadataResponseBroker::port).containsExactly(9100, 9200, 9300);
        assertThat(inner.brokers()).extracting(MetadataResponseBroker::port).containsExactly(9101, 9201);
    }

    @Test
    void anOwnerThatTheListenerDoesNotReachIsNamedAsSuchFromVersion6On() {
        createTopic("t", 3);
        MetadataResponsePartition six = only(ask(handler, names("t"), (short) 6, "INTERNAL"))
                .partitions()
                .get(0);
        assertThat(Errors.forCode(six.errorCode())).isEqualTo(Errors.LISTENER_NOT_FOUND);
        assertThat(six.leaderId()).isEqualTo(-1);
        MetadataResponsePartition five = only(ask(handler, names("t"), (short) 5, "INTERNAL"))
                .partitions()
                .get(0);
        assertThat(Errors.forCode(five.errorCode())).isEqualTo(Errors.LEADER_NOT_AVAILABLE);
    }

    @Test
    void aFencedOwnerIsOfflineUntilItIsBack() {
        createTopic("t", 1, 2);
        assertThat(only(ask(handler, names("t"), NEWEST)).partitions().get(1).leaderId())
                .isEqualTo(2);

        controlPlane.fenceNode(2, true);
        MetadataResponseData fenced = ask(handler, names("t"), NEWEST);
        MetadataResponsePartition offline = only(fenced).partitions().get(1);
        assertThat(Errors.forCode(offline.errorCode())).isEqualTo(Errors.LEADER_NOT_AVAILABLE);
        assertThat(offline.leaderId()).isEqualTo(-1);
        assertThat(offline.replicaNodes()).containsExactly(2);
        assertThat(offline.offlineReplicas()).containsExactly(2);
        assertThat(fenced.brokers()).extracting(MetadataResponseBroker::nodeId).containsExactly(1, 3);
        MetadataResponsePartition oldest =
                only(ask(handler, names("t"), (short) 0)).partitions().get(1);
        assertThat(oldest.replicaNodes()).isEmpty();

        controlPlane.fenceNode(2, false);
        assertThat(only(ask(handler, names("t"), NEWEST)).partitions().get(1).leaderId())
                .isEqualTo(2);
    }

    @Test
    void aNewPartitionHasNoLeaderBeforeItsOwnerHasOpenedIt() {
        controlPlane.ownersHesitate();
        createTopic("new", 1, 2);
        controlPlane.moveStream("new", 1, 2);

        List<MetadataResponsePartition> partitions =
                only(ask(handler, names("new"), NEWEST)).partitions();
        assertThat(Errors.forCode(partitions.get(0).errorCode())).isEqualTo(Errors.LEADER_NOT_AVAILABLE);
        assertThat(partitions.get(0).leaderId()).isEqualTo(-1);
        assertThat(partitions.get(0).replicaNodes()).containsExactly(1);
        assertThat(partitions.get(0).offlineReplicas()).isEmpty();
        assertThat(partitions.get(1).leaderId()).isEqualTo(2);

        controlPlane.moveStream("new", 0, 1);
        MetadataResponsePartition opened =
                only(ask(handler, names("new"), NEWEST)).partitions().get(0);
        assertThat(Errors.forCode(opened.errorCode())).isEqualTo(Errors.NONE);
        assertThat(opened.leaderId()).isEqualTo(1);
    }

    @Test
    void aRestartedOwnerLeadsItsPartitionsBeforeItHasOpenedThemAgain() {
        createTopic("t", 1, 2);
        ask(handler, names("t"), NEWEST);

        controlPlane.withNode(2, "PLAINTEXT", "INTERNAL");
        MetadataResponsePartition restarted =
                only(ask(handler, names("t"), NEWEST)).partitions().get(1);
        assertThat(Errors.forCode(restarted.errorCode())).isEqualTo(Errors.NONE);
        assertThat(restarted.leaderId()).isEqualTo(2);
        int epoch = restarted.leaderEpoch();

        controlPlane.moveStream("t", 1, 2);
        MetadataResponsePartition opened =
                only(ask(handler, names("t"), NEWEST)).partitions().get(1);
        assertThat(opened.leaderId()).isEqualTo(2);
        assertThat(opened.leaderEpoch()).isGreaterThan(epoch);
    }

    @Test
    void whoHasATopicCreatedIsAnsweredWhenItIsOpen() {
        controlPlane.ownersHesitate();
        FakeRequest request = FakeRequest.sent(
                handler, new MetadataRequest(names("fresh").setAllowAutoTopicCreation(true), NEWEST), "PLAINTEXT");
        FakeRequest.settle();
        assertThat(request.isAnswered()).isFalse();
        for (int partition = 0; partition < 4; partition++) {
            controlPlane.moveStream("fresh", partition, 1);
        }

        MetadataResponseTopic topic = only(((MetadataResponse) request.answer()).data());
        assertThat(topic.partitions())
                .allSatisfy(partition -> assertThat(partition.leaderId()).isEqualTo(1));
    }

    @Test
    void aNewOwnerAndItsEpochAreSeenAtOnce() {
        createTopic("moves", 1, 1);
        ask(handler, names("moves"), NEWEST);

        controlPlane.moveStream("moves", 1, 3);

        List<MetadataResponsePartition> partitions =
                only(ask(handler, names("moves"), NEWEST)).partitions();
        assertThat(partitions.get(0).leaderId()).isEqualTo(1);
        assertThat(partitions.get(1).leaderId()).isEqualTo(3);
        assertThat(partitions.get(1).leaderEpoch()).isEqualTo(1);
    }

    @Test
    void addedPartitionsAndTopicsCreatedAnewAreSeenAtOnce() {
        createTopic("t", 1);
        Uuid first = only(ask(handler, names("t"), NEWEST)).topicId();
        controlPlane.applyNow(new Command.CreatePartitions("t", 4, List.of(), false));
        assertThat(only(ask(handler, names("t"), NEWEST)).partitions()).hasSize(4);

        controlPlane.applyNow(new Command.DeleteTopics(List.of(first)));
        assertThat(only(ask(handler(false), names("t"), NEWEST)).errorCode())
                .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
        createTopic("t", 2, 2);
        MetadataResponseTopic anew = only(ask(handler, names("t"), NEWEST));
        assertThat(anew.topicId()).isNotEqualTo(first);
        assertThat(anew.partitions()).hasSize(2);
    }

    @Test
    void anUnknownTopicIsCreatedWithTheDefaultsAndAnsweredAtOnce() {
        MetadataResponseTopic topic = only(ask(handler, names("fresh").setAllowAutoTopicCreation(true), NEWEST));

        assertThat(Errors.forCode(topic.errorCode())).isEqualTo(Errors.NONE);
        assertThat(topic.partitions()).hasSize(4);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void withoutAutoCreationAnUnknownTopicIsUnknown(short version) {
        MetadataResponseTopic topic = only(ask(handler(false), names("unknown"), version));

        assertThat(Errors.forCode(topic.errorCode())).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(controlPlane.image().topics()).isEmpty();
    }

    @Test
    void aClientMayForbidAutoCreation() {
        MetadataResponseTopic topic = only(ask(handler, names("unknown").setAllowAutoTopicCreation(false), NEWEST));

        assertThat(Errors.forCode(topic.errorCode())).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(controlPlane.image().topics()).isEmpty();
    }

    @Test
    void anInvalidNameIsNeverCreated() {
        assertThat(only(ask(handler, names("no way"), NEWEST)).errorCode())
                .isEqualTo(Errors.INVALID_TOPIC_EXCEPTION.code());
        assertThat(only(ask(handler(false), names("no way"), NEWEST)).errorCode())
                .isEqualTo(Errors.INVALID_TOPIC_EXCEPTION.code());
        assertThat(controlPlane.image().topics()).isEmpty();
    }

    @Test
    void aCreationThatFailsOrTakesLongIsToBeAskedForAgain() {
        controlPlane.failNext(Reason.UNAVAILABLE);
        assertThat(only(ask(handler, names("later"), NEWEST)).errorCode())
                .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
        controlPlane.pause();
        assertThat(only(ask(handler, names("later"), NEWEST)).errorCode())
                .isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
        controlPlane.resume();
        assertThat(only(ask(handler, names("later"), NEWEST)).errorCode()).isEqualTo(Errors.NONE.code());
    }

    @Test
    void theOffsetsTopicIsCreatedWithItsOwnSettingsAndIsInternal() {
        MetadataResponseTopic topic = only(ask(handler, names("__consumer_offsets"), NEWEST));

        assertThat(topic.isInternal()).isTrue();
        assertThat(topic.partitions()).hasSize(50);
        assertThat(controlPlane.image().configs((byte) 2, "__consumer_offsets"))
                .containsEntry("cleanup.policy", "compact");
    }

    @Test
    void topicsCanBeAskedForById() {
        createTopic("named", 1);
        Uuid id = controlPlane.image().topic("named").orElseThrow().topicId();
        Uuid unknown = Uuid.randomUuid();
        MetadataRequestData data = new MetadataRequestData()
                .setTopics(List.of(
                        new MetadataRequestTopic().setName(null).setTopicId(id),
                        new MetadataRequestTopic().setName(null).setTopicId(unknown)));

        List<MetadataResponseTopic> topics =
                List.copyOf(ask(handler, data, NEWEST).topics());

        assertThat(topics.get(0).name()).isEqualTo("named");
        assertThat(topics.get(0).partitions()).hasSize(1);
        assertThat(topics.get(1).topicId()).isEqualTo(unknown);
        assertThat(topics.get(1).name()).isNull();
        assertThat(Errors.forCode(topics.get(1).errorCode())).isEqualTo(Errors.UNKNOWN_TOPIC_ID);
    }

    @Test
    void authorizedOperationsAreToldWhenAskedFor() {
        createTopic("t", 1);
        MetadataRequestData data =
                names("t").setIncludeTopicAuthorizedOperations(true).setIncludeClusterAuthorizedOperations(true);
        MetadataResponseData eight = ask(handler, data, (short) 8);
        assertThat(eight.clusterAuthorizedOperations()).isPositive();
        assertThat(only(eight).topicAuthorizedOperations()).isPositive();
        assertThat(only(ask(handler, names("t"), NEWEST)).topicAuthorizedOperations())
                .isEqualTo(Integer.MIN_VALUE);
    }

    @Test
    void repeatedQuestionsForAThousandPartitionsDoNotDescribeThemAnew() {
        Integer[] owners = new Integer[1000];
        for (int i = 0; i < owners.length; i++) {
            owners[i] = 1 + i % 3;
        }
        createTopic("wide", owners);
        PartitionDescriptions descriptions = PartitionDescriptions.of(controlPlane, false);
        var topic = controlPlane.image().topic("wide").orElseThrow();

        List<MetadataResponsePartition> first = descriptions.of(topic, "PLAINTEXT");
        controlPlane.applyNow(new Command.AlterConfigs((byte) 2, "wide", Map.of("retention.ms", "1")));
        controlPlane.touchStreams("wide");

        assertThat(descriptions.of(topic, "PLAINTEXT")).isSameAs(first);
        assertThat(descriptions.of(topic, "INTERNAL")).isNotSameAs(first);
    }

    @Test
    void nodesThatReadInOtherZonesAreReplicasBehindTheOwner() {
        createTopic("t", 2);
        MetadataHandler near =
                new MetadataHandler(controlPlane, new TopicAutoCreator(controlPlane, TestTopics.config()), true, true);
        assertThat(replicas(near, "PLAINTEXT")).containsExactly(2, 1, 3);
        assertThat(replicas(near, "INTERNAL")).as("node 3 is not reached by it").containsExactly(2, 1);
        controlPlane.fenceNode(1, true);
        assertThat(replicas(near, "PLAINTEXT")).containsExactly(2, 3);
        controlPlane.fenceNode(1, false);
        controlPlane.moveStream("t", 0, 3);
        assertThat(replicas(near, "PLAINTEXT")).containsExactly(3, 1, 2);
        controlPlane.fenceNode(3, true);
        assertThat(replicas(near, "PLAINTEXT")).as("nobody leads").containsExactly(3);
    }

    private static List<Integer> replicas(MetadataHandler handler, String listener) {
        MetadataResponsePartition partition =
                only(ask(handler, names("t"), NEWEST, listener)).partitions().get(0);
        assertThat(partition.isrNodes()).isEqualTo(partition.replicaNodes());
        return partition.replicaNodes();
    }

    private static MetadataRequestData names(String... names) {
        List<MetadataRequestTopic> topics = new ArrayList<>();
        for (String name : names) {
            topics.add(new MetadataRequestTopic().setName(name));
        }
        return new MetadataRequestData().setTopics(topics).setAllowAutoTopicCreation(true);
    }

    private static MetadataResponseData ask(MetadataHandler handler, MetadataRequestData data, short version) {
        return ask(handler, data, version, "PLAINTEXT");
    }

    private static MetadataResponseData ask(
            MetadataHandler handler, MetadataRequestData data, short version, String listener) {
        MetadataResponse response =
                (MetadataResponse) FakeRequest.call(handler, new MetadataRequest(data, version), listener);
        return response.data();
    }

    private static MetadataResponseTopic only(MetadataResponseData data) {
        assertThat(data.topics()).hasSize(1);
        return data.topics().iterator().next();
    }

    private void createTopic(String name, Integer... owners) {
        controlPlane.applyNow(new Command.CreateTopics(
                List.of(new Command.CreateTopic(name, owners.length, (short) 1, Map.of(), List.of(owners))), false));
    }
}
