package io.catchment.broker.configadmin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.broker.testing.LateControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ControlPlane;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.IncrementalAlterConfigsRequest;
import org.apache.kafka.common.requests.IncrementalAlterConfigsResponse;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class IncrementalAlterConfigsHandlerTest {
    private static final ConfigResource.Type TOPIC = ConfigResource.Type.TOPIC;

    private final FakeControlPlane controlPlane = new FakeControlPlane().withNode(1, "PLAINTEXT");
    private final IncrementalAlterConfigsHandler handler =
            new IncrementalAlterConfigsHandler(alterations(controlPlane, 1));

    IncrementalAlterConfigsHandlerTest() {
        controlPlane.applyNow(new Command.CreateTopics(
                List.of(new Command.CreateTopic("t", 1, (short) 1, Map.of("retention.ms", "5"))), false));
    }

    private static ConfigAlterations alterations(ControlPlane of, int nodeId) {
        return new ConfigAlterations(of, TestConfigs.topics(), TestConfigs.groups(), nodeId);
    }

    static List<Short> versions() {
        return ApiKeys.INCREMENTAL_ALTER_CONFIGS.allVersions();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void setsAndDeletesAtEachVersion(short version) {
        AlterConfigsResource resource = resource(TOPIC, "t");
        add(resource, OpType.SET, "max.message.bytes", "100");
        add(resource, OpType.SET, "catchment.priority", "bulk");
        add(resource, OpType.DELETE, "retention.ms", null);
        add(resource, OpType.DELETE, "segment.ms", null);

        assertThat(error(alter(version, false, resource))).isEqualTo(Errors.NONE);
        assertThat(configs("t")).isEqualTo(Map.of("max.message.bytes", "100", "catchment.priority", "bulk"));
    }

    @Test
    void appendsToAndSubtractsFromLists() {
        assertThat(one(TOPIC, "t", OpType.APPEND, "cleanup.policy", "compact")).isEqualTo(Errors.NONE);
        assertThat(configs("t")).containsEntry("cleanup.policy", "delete,compact");
        assertThat(one(TOPIC, "t", OpType.APPEND, "cleanup.policy", "compact")).isEqualTo(Errors.NONE);
        assertThat(configs("t")).containsEntry("cleanup.policy", "delete,compact");
        assertThat(one(TOPIC, "t", OpType.SUBTRACT, "cleanup.policy", "delete")).isEqualTo(Errors.NONE);
        assertThat(configs("t")).containsEntry("cleanup.policy", "compact");
    }

    @Test
    void validateOnlyChangesNothing() {
        AlterConfigsResource resource = resource(TOPIC, "t");
        add(resource, OpType.SET, "max.message.bytes", "100");
        assertThat(error(alter((short) 1, true, resource))).isEqualTo(Errors.NONE);
        AlterConfigsResource bad = resource(TOPIC, "t");
        add(bad, OpType.SET, "max.message.bytes", "many");
        assertThat(error(alter((short) 1, true, bad))).isEqualTo(Errors.INVALID_CONFIG);
        assertThat(configs("t")).isEqualTo(Map.of("retention.ms", "5"));
    }

    @ParameterizedTest
    @CsvSource({
        "TOPIC, t, SET, no.such.key, 1, INVALID_CONFIG",
        "TOPIC, t, SET, retention.ms, soon, INVALID_CONFIG",
        "TOPIC, t, SET, catchment.priority, high, INVALID_CONFIG",
        "TOPIC, t, SET, remote.storage.enable, true, INVALID_CONFIG",
        "TOPIC, t, APPEND, retention.ms, 1, INVALID_CONFIG",
        "TOPIC, t, SUBTRACT, no.such.key, 1, INVALID_CONFIG",
        "TOPIC, t, SET, retention.ms, , INVALID_REQUEST",
        "TOPIC, unknown, SET, retention.ms, 1, UNKNOWN_TOPIC_OR_PARTITION",
        "TOPIC, no way, SET, retention.ms, 1, INVALID_TOPIC_EXCEPTION",
        "TOPIC, '', SET, retention.ms, 1, INVALID_REQUEST",
        "GROUP, '', SET, consumer.session.timeout.ms, 45000, INVALID_REQUEST",
        "GROUP, g, SET, no.such.key, 1, INVALID_CONFIG",
        "GROUP, g, SET, consumer.session.timeout.ms, 1, INVALID_CONFIG",
        "BROKER, 1, SET, num.partitions, 2, INVALID_REQUEST",
        "BROKER, '', SET, num.partitions, 2, INVALID_REQUEST",
        "BROKER, 2, SET, num.partitions, 2, INVALID_REQUEST",
        "BROKER, 2, DELETE, leader.replication.throttled.rate, , INVALID_REQUEST",
        "BROKER, 1, SET, leader.replication.throttled.rate, 1000, INVALID_REQUEST",
        "BROKER, 1, DELETE, num.partitions, , INVALID_REQUEST",
        "BROKER_LOGGER, 1, SET, root, DEBUG, INVALID_REQUEST",
        "CLIENT_METRICS, m, SET, interval.ms, 1, INVALID_REQUEST",
        "CLIENT_METRICS, '', SET, interval.ms, 1000, INVALID_REQUEST",
        "UNKNOWN, m, SET, x, 100, INVALID_REQUEST",
    })
    void refusesWhatIsInvalid(
            ConfigResource.Type type, String name, OpType op, String key, @Nullable String value, Errors expected) {
        assertThat(one(type, name, op, key, value)).isEqualTo(expected);
        assertThat(configs("t")).isEqualTo(Map.of("retention.ms", "5"));
        assertThat(controlPlane.submitted()).isEmpty();
    }

    /** What kafka-reassign-partitions ends with, whether or not it set any. */
    @Test
    void throttlesThatWereNeverSetCanBeTakenAway() {
        AlterConfigsResource broker = resource(ConfigResource.Type.BROKER, "1");
        add(broker, OpType.DELETE, "leader.replication.throttled.rate", null);
        add(broker, OpType.DELETE, "follower.replication.throttled.rate", null);
        add(broker, OpType.DELETE, "replica.alter.log.dirs.io.max.bytes.per.second", null);
        assertThat(error(alter((short) 1, false, broker))).isEqualTo(Errors.NONE);
        AlterConfigsResource topic = resource(TOPIC, "t");
        add(topic, OpType.DELETE, "leader.replication.throttled.replicas", null);
        add(topic, OpType.DELETE, "follower.replication.throttled.replicas", null);
        assertThat(error(alter((short) 1, false, topic))).isEqualTo(Errors.NONE);
        assertThat(controlPlane.submitted()).isEmpty();
    }

    @Test
    void oneWrongKeyLeavesTheWholeResourceAsItWas() {
        AlterConfigsResource resource = resource(TOPIC, "t");
        add(resource, OpType.SET, "max.message.bytes", "100");
        add(resource, OpType.SET, "retention.ms", "soon");
        assertThat(error(alter((short) 1, false, resource))).isEqualTo(Errors.INVALID_CONFIG);
        assertThat(configs("t")).isEqualTo(Map.of("retention.ms", "5"));
    }

    @Test
    void keysThatContradictEachOtherAreRefused() {
        one(TOPIC, "t", OpType.SET, "max.compaction.lag.ms", "100");
        assertThat(one(TOPIC, "t", OpType.SET, "min.compaction.lag.ms", "101")).isEqualTo(Errors.INVALID_CONFIG);
    }

    @Test
    void aGroupIsAlteredWithinTheNodesLimits() {
        assertThat(one(ConfigResource.Type.GROUP, "g", OpType.SET, "consumer.session.timeout.ms", "50000"))
                .isEqualTo(Errors.NONE);
        assertThat(controlPlane.image().configs(ConfigResource.Type.GROUP.id(), "g"))
                .isEqualTo(Map.of("consumer.session.timeout.ms", "50000"));
    }

    @Test
    void aKeyOrAResourceNamedTwiceIsRefused() {
        AlterConfigsResource twice = resource(TOPIC, "t");
        add(twice, OpType.SET, "retention.ms", "1");
        add(twice, OpType.DELETE, "retention.ms", null);
        assertThat(error(alter((short) 1, false, twice))).isEqualTo(Errors.INVALID_REQUEST);
    }

    @Test
    void eachResourceOfARequestIsAnswered() {
        AlterConfigsResource good = resource(TOPIC, "t");
        add(good, OpType.SET, "retention.ms", "9");
        AlterConfigsResource bad = resource(TOPIC, "unknown");
        add(bad, OpType.SET, "retention.ms", "9");
        assertThat(alter((short) 1, false, good, bad))
                .extracting(AlterConfigsResourceResponse::resourceName, AlterConfigsResourceResponse::errorCode)
                .containsExactly(
                        tuple("t", Errors.NONE.code()), tuple("unknown", Errors.UNKNOWN_TOPIC_OR_PARTITION.code()));
    }

    @Test
    void anAppendSeesWhatTheOneBeforeLeftThoughBothCameAtOnce() {
        controlPlane.pause();
        FakeRequest set = send(TOPIC, "t", OpType.SET, "cleanup.policy", "compact");
        FakeRequest append = send(TOPIC, "t", OpType.APPEND, "cleanup.policy", "delete");
        FakeRequest.settle();
        assertThat(append.isAnswered()).isFalse();
        controlPlane.resume();

        assertThat(set.answer().errorCounts()).containsOnlyKeys(Errors.NONE);
        assertThat(append.answer().errorCounts()).containsOnlyKeys(Errors.NONE);
        assertThat(configs("t")).containsEntry("cleanup.policy", "compact,delete");
    }

    @Test
    void whatWasDoneThroughAnotherNodeBeforeIsSeen() {
        IncrementalAlterConfigsHandler late =
                new IncrementalAlterConfigsHandler(alterations(new LateControlPlane(controlPlane), 1));
        // what this node still believes to be set
        assertThat(one(TOPIC, "t", OpType.SET, "retention.ms", "9")).isEqualTo(Errors.NONE);
        assertThat(one(late, OpType.SET, "t", "retention.ms", "5")).isEqualTo(Errors.NONE);
        assertThat(configs("t")).containsEntry("retention.ms", "5");
        // what it does not know to be set
        assertThat(one(TOPIC, "t", OpType.SET, "segment.ms", "7")).isEqualTo(Errors.NONE);
        assertThat(one(late, OpType.DELETE, "t", "segment.ms", null)).isEqualTo(Errors.NONE);
        assertThat(configs("t")).doesNotContainKey("segment.ms");
        // what an APPEND adds to
        assertThat(one(TOPIC, "t", OpType.SET, "cleanup.policy", "compact")).isEqualTo(Errors.NONE);
        assertThat(one(late, OpType.APPEND, "t", "cleanup.policy", "delete")).isEqualTo(Errors.NONE);
        assertThat(configs("t")).containsEntry("cleanup.policy", "compact,delete");
        // a topic that it has not heard of
        controlPlane.applyNow(
                new Command.CreateTopics(List.of(new Command.CreateTopic("new", 1, (short) 1, Map.of())), false));
        assertThat(one(late, OpType.SET, "new", "retention.ms", "3")).isEqualTo(Errors.NONE);
        assertThat(configs("new")).containsEntry("retention.ms", "3");
    }

    @Test
    void whatComesThroughTwoNodesAtOnceCountsBoth() {
        assertThat(one(TOPIC, "t", OpType.SET, "cleanup.policy", "compact")).isEqualTo(Errors.NONE);
        controlPlane.pause();
        FakeRequest append = send(TOPIC, "t", OpType.APPEND, "cleanup.policy", "delete");
        FakeRequest subtract = send(ofAnotherNode(), OpType.SUBTRACT, "cleanup.policy", "compact");
        FakeRequest.settle();
        controlPlane.resume();

        assertThat(append.answer().errorCounts()).containsOnlyKeys(Errors.NONE);
        assertThat(subtract.answer().errorCounts()).containsOnlyKeys(Errors.NONE);
        assertThat(configs("t")).containsEntry("cleanup.policy", "delete");
    }

    @Test
    void keysThatContradictEachOtherAreRefusedThoughTheyComeThroughTwoNodesAtOnce() {
        controlPlane.pause();
        FakeRequest max = send(TOPIC, "t", OpType.SET, "max.compaction.lag.ms", "100");
        FakeRequest min = send(ofAnotherNode(), OpType.SET, "min.compaction.lag.ms", "101");
        FakeRequest.settle();
        controlPlane.resume();

        assertThat(max.answer().errorCounts()).containsOnlyKeys(Errors.NONE);
        assertThat(min.answer().errorCounts()).containsOnlyKeys(Errors.INVALID_CONFIG);
        assertThat(configs("t")).doesNotContainKey("min.compaction.lag.ms");
    }

    private IncrementalAlterConfigsHandler ofAnotherNode() {
        return new IncrementalAlterConfigsHandler(alterations(controlPlane, 2));
    }

    private static FakeRequest send(IncrementalAlterConfigsHandler through, OpType op, String key, String value) {
        AlterConfigsResource resource = resource(TOPIC, "t");
        add(resource, op, key, value);
        return FakeRequest.sent(through, request((short) 1, false, resource), "PLAINTEXT");
    }

    private static Errors one(
            IncrementalAlterConfigsHandler through, OpType op, String topic, String key, @Nullable String value) {
        AlterConfigsResource resource = resource(TOPIC, topic);
        add(resource, op, key, value);
        return error(((IncrementalAlterConfigsResponse) FakeRequest.call(through, request((short) 1, false, resource)))
                .data()
                .responses());
    }

    @Test
    void aControllerOutOfReachIsATimeoutAndTheNextAlterationRuns() {
        controlPlane.failNext(Reason.UNAVAILABLE);
        assertThat(one(TOPIC, "t", OpType.SET, "retention.ms", "1")).isEqualTo(Errors.REQUEST_TIMED_OUT);
        assertThat(one(TOPIC, "t", OpType.SET, "retention.ms", "1")).isEqualTo(Errors.NONE);
    }

    private Map<String, String> configs(String topic) {
        return controlPlane.image().configs(TOPIC.id(), topic);
    }

    private static AlterConfigsResource resource(ConfigResource.Type type, String name) {
        return new AlterConfigsResource().setResourceType(type.id()).setResourceName(name);
    }

    private static void add(AlterConfigsResource resource, OpType op, String key, @Nullable String value) {
        // mustAdd would refuse a key that is there already, as the wire does not
        resource.configs()
                .add(new AlterableConfig()
                        .setName(key)
                        .setConfigOperation(op.id())
                        .setValue(value));
    }

    private Errors one(ConfigResource.Type type, String name, OpType op, String key, @Nullable String value) {
        AlterConfigsResource resource = resource(type, name);
        add(resource, op, key, value);
        return error(alter((short) 1, false, resource));
    }

    private FakeRequest send(ConfigResource.Type type, String name, OpType op, String key, String value) {
        AlterConfigsResource resource = resource(type, name);
        add(resource, op, key, value);
        return FakeRequest.sent(handler, request((short) 1, false, resource), "PLAINTEXT");
    }

    private static Errors error(List<AlterConfigsResourceResponse> responses) {
        assertThat(responses).hasSize(1);
        return Errors.forCode(responses.get(0).errorCode());
    }

    private List<AlterConfigsResourceResponse> alter(
            short version, boolean validateOnly, AlterConfigsResource... resources) {
        return ((IncrementalAlterConfigsResponse) FakeRequest.call(handler, request(version, validateOnly, resources)))
                .data()
                .responses();
    }

    private static IncrementalAlterConfigsRequest request(
            short version, boolean validateOnly, AlterConfigsResource... resources) {
        IncrementalAlterConfigsRequestData data =
                new IncrementalAlterConfigsRequestData().setValidateOnly(validateOnly);
        for (AlterConfigsResource resource : resources) {
            data.resources().add(resource);
        }
        return new IncrementalAlterConfigsRequest.Builder(data).build(version);
    }
}
