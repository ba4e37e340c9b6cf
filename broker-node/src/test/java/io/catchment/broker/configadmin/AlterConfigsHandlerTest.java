package io.catchment.broker.configadmin;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.controlplane.Command;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigResource.Type;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.AlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.AlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AlterConfigsRequest;
import org.apache.kafka.common.requests.AlterConfigsResponse;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class AlterConfigsHandlerTest {
    private final FakeControlPlane controlPlane = new FakeControlPlane().withNode(1, "PLAINTEXT");
    private final AlterConfigsHandler handler =
            new AlterConfigsHandler(new ConfigAlterations(controlPlane, TestConfigs.topics(), TestConfigs.groups(), 1));

    AlterConfigsHandlerTest() {
        controlPlane.applyNow(new Command.CreateTopics(
                List.of(new Command.CreateTopic("t", 1, (short) 1, Map.of("retention.ms", "5", "segment.ms", "7"))),
                false));
    }

    static List<Short> versions() {
        return ApiKeys.ALTER_CONFIGS.allVersions();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void whatIsNamedIsSetAndAllElseIsRemovedAtEachVersion(short version) {
        AlterConfigsResource resource = resource(Type.TOPIC, "t");
        add(resource, "max.message.bytes", "100");
        add(resource, "segment.ms", "7");
        assertThat(error(alter(version, false, resource))).isEqualTo(Errors.NONE);
        assertThat(configs()).isEqualTo(Map.of("max.message.bytes", "100", "segment.ms", "7"));
        assertThat(error(alter(version, false, resource(Type.TOPIC, "t")))).isEqualTo(Errors.NONE);
        assertThat(configs()).isEmpty();
    }

    @Test
    void validateOnlyChangesNothing() {
        AlterConfigsResource resource = resource(Type.TOPIC, "t");
        add(resource, "max.message.bytes", "100");
        assertThat(error(alter((short) 2, true, resource))).isEqualTo(Errors.NONE);
        assertThat(configs()).isEqualTo(Map.of("retention.ms", "5", "segment.ms", "7"));
    }

    @ParameterizedTest
    @CsvSource({
        "TOPIC, t, no.such.key, 1, INVALID_CONFIG",
        "TOPIC, t, retention.ms, soon, INVALID_CONFIG",
        "TOPIC, t, retention.ms, , INVALID_REQUEST",
        "TOPIC, unknown, retention.ms, 1, UNKNOWN_TOPIC_OR_PARTITION",
        "TOPIC, '', retention.ms, 1, INVALID_REQUEST",
        "BROKER, 1, num.partitions, 2, INVALID_REQUEST",
        "BROKER_LOGGER, 1, root, DEBUG, INVALID_REQUEST",
        "UNKNOWN, m, x, 100, INVALID_REQUEST",
    })
    void refusesWhatIsInvalid(Type type, String name, String key, @Nullable String value, Errors expected) {
        AlterConfigsResource resource = resource(type, name);
        add(resource, key, value);
        assertThat(error(alter((short) 2, false, resource))).isEqualTo(expected);
        assertThat(controlPlane.submitted()).isEmpty();
    }

    @Test
    void aKeyOrAResourceNamedTwiceIsRefused() {
        AlterConfigsResource twice = resource(Type.TOPIC, "t");
        add(twice, "retention.ms", "1");
        add(twice, "retention.ms", "2");
        assertThat(error(alter((short) 2, false, twice))).isEqualTo(Errors.INVALID_REQUEST);
        AlterConfigsResource once = resource(Type.TOPIC, "t");
        assertThat(alter((short) 2, false, once, once.duplicate()))
                .extracting(AlterConfigsResourceResponse::errorCode)
                .containsExactly(Errors.INVALID_REQUEST.code(), Errors.INVALID_REQUEST.code());
        assertThat(controlPlane.submitted()).isEmpty();
    }

    private Map<String, String> configs() {
        return controlPlane.image().configs(Type.TOPIC.id(), "t");
    }

    private static AlterConfigsResource resource(Type type, String name) {
        return new AlterConfigsResource().setResourceType(type.id()).setResourceName(name);
    }

    private static void add(AlterConfigsResource resource, String key, @Nullable String value) {
        // mustAdd would refuse a key that is there already, as the wire does not
        resource.configs().add(new AlterableConfig().setName(key).setValue(value));
    }

    private static Errors error(List<AlterConfigsResourceResponse> responses) {
        assertThat(responses).hasSize(1);
        return Errors.forCode(responses.get(0).errorCode());
    }

    private List<AlterConfigsResourceResponse> alter(
            short version, boolean validateOnly, AlterConfigsResource... resources) {
        AlterConfigsRequestData data = new AlterConfigsRequestData().setValidateOnly(validateOnly);
        for (AlterConfigsResource resource : resources) {
            data.resources().add(resource);
        }
        return ((AlterConfigsResponse) FakeRequest.call(handler, new AlterConfigsRequest(data, version)))
                .data()
                .responses();
    }
}
