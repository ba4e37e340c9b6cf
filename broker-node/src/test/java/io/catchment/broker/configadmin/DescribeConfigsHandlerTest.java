package io.catchment.broker.configadmin;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.controlplane.Command;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeConfigsRequest;
import org.apache.kafka.common.requests.DescribeConfigsResponse;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class DescribeConfigsHandlerTest {
    private final FakeControlPlane controlPlane = new FakeControlPlane().withNode(1, "PLAINTEXT");
    private final DescribeConfigsHandler handler =
            new DescribeConfigsHandler(controlPlane, TestConfigs.topics(), TestConfigs.groups(), TestConfigs.node());

    DescribeConfigsHandlerTest() {
        controlPlane.applyNow(new Command.CreateTopics(
                List.of(new Command.CreateTopic("t", 1, (short) 1, Map.of("max.message.bytes", "999"))), false));
    }

    static List<Short> versions() {
        return ApiKeys.DESCRIBE_CONFIGS.allVersions();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void describesATopicAtEachVersion(short version) {
        DescribeConfigsResult result = describe(version, ConfigResource.Type.TOPIC, "t");

        assertThat(result.errorCode()).isZero();
        assertThat(result.configs()).hasSizeGreaterThan(25).allSatisfy(config -> {
            assertThat(config.readOnly()).isFalse();
            assertThat(config.isSensitive()).isFalse();
        });
        assertEntry(result, "max.message.bytes", "999", ConfigSource.TOPIC_CONFIG);
        assertEntry(result, "retention.ms", "7200000", ConfigSource.STATIC_BROKER_CONFIG);
        assertEntry(result, "cleanup.policy", "delete", ConfigSource.DEFAULT_CONFIG);
        assertEntry(result, "catchment.priority", "normal", ConfigSource.DEFAULT_CONFIG);
        if (version >= 3) {
            assertThat(entry(result, "cleanup.policy").configType()).isEqualTo(ConfigType.LIST.id());
            assertThat(entry(result, "retention.ms").documentation()).isNotEmpty();
        }
    }

    @Test
    void synonymsAreInTheOrderInWhichTheyCount() {
        DescribeConfigsResult result = describe((short) 4, ConfigResource.Type.TOPIC, "t");

        assertThat(synonyms(result, "max.message.bytes"))
                .containsExactly("1:max.message.bytes=999", "5:message.max.bytes=1048588");
        // the default of a synonym is not named, as in Kafka
        assertThat(synonyms(result, "retention.ms")).containsExactly("4:log.retention.hours=2");
        assertThat(synonyms(result, "segment.ms")).isEmpty();
        assertEntry(result, "segment.ms", "604800000", ConfigSource.DEFAULT_CONFIG);
    }

    @Test
    void synonymsAndDocumentationAreLeftOutUnlessAskedFor() {
        DescribeConfigsRequestData data = new DescribeConfigsRequestData()
                .setResources(List.of(resource(ConfigResource.Type.TOPIC, "t", List.of())));
        assertThat(call(data, (short) 4).configs()).allSatisfy(config -> {
            assertThat(config.synonyms()).isEmpty();
            assertThat(config.documentation()).isNull();
        });
    }

    @Test
    void onlyTheKeysAskedForAreDescribed() {
        DescribeConfigsRequestData data = new DescribeConfigsRequestData()
                .setResources(List.of(resource(
                        ConfigResource.Type.TOPIC, "t", List.of("retention.ms", "no.such.key", "segment.bytes"))));
        assertThat(call(data, (short) 4).configs())
                .extracting(DescribeConfigsResourceResult::name)
                .containsExactly("retention.ms", "segment.bytes");
    }

    @ParameterizedTest
    @CsvSource({
        "TOPIC, nobody, UNKNOWN_TOPIC_OR_PARTITION",
        "TOPIC, no way, INVALID_TOPIC_EXCEPTION",
        "BROKER, 2, INVALID_REQUEST",
        "BROKER, one, INVALID_REQUEST",
        "BROKER_LOGGER, '', INVALID_REQUEST",
        "BROKER_LOGGER, 2, INVALID_REQUEST",
        "GROUP, '', INVALID_REQUEST",
        "CLIENT_METRICS, '', INVALID_REQUEST",
        "UNKNOWN, x, INVALID_REQUEST",
    })
    void refusesWhatIsNotThere(ConfigResource.Type type, String name, Errors expected) {
        DescribeConfigsResult result = describe((short) 4, type, name);

        assertThat(Errors.forCode(result.errorCode())).isEqualTo(expected);
        assertThat(result.resourceName()).isEqualTo(name);
        assertThat(result.configs()).isEmpty();
    }

    @Test
    void theNodesKeysAreReadOnlyAndItsSecretsStaySecret() {
        DescribeConfigsResult result = describe((short) 4, ConfigResource.Type.BROKER, "1");

        assertThat(result.configs()).hasSize(3).allSatisfy(config -> assertThat(config.readOnly())
                .isTrue());
        assertEntry(result, "num.partitions", "3", ConfigSource.STATIC_BROKER_CONFIG);
        assertEntry(result, "node.zone", "here", ConfigSource.DEFAULT_CONFIG);
        DescribeConfigsResourceResult password = entry(result, "keystore.password");
        assertThat(password.isSensitive()).isTrue();
        assertThat(password.value()).isNull();
        assertThat(password.synonyms())
                .allSatisfy(synonym -> assertThat(synonym.value()).isNull());
        assertThat(synonyms(result, "num.partitions")).containsExactly("4:num.partitions=3", "5:num.partitions=1");
    }

    @Test
    void thereAreNoDynamicDefaultsAndNoLoggers() {
        assertThat(describe((short) 4, ConfigResource.Type.BROKER, "").configs())
                .isEmpty();
        assertThat(describe((short) 4, ConfigResource.Type.BROKER_LOGGER, "1").configs())
                .isEmpty();
    }

    @Test
    void aGroupHasItsOwnKeysOverTheNodes() {
        controlPlane.applyNow(new Command.AlterConfigs(
                ConfigResource.Type.GROUP.id(), "g", Map.of("consumer.heartbeat.interval.ms", "7000")));
        DescribeConfigsResult result = describe((short) 4, ConfigResource.Type.GROUP, "g");

        assertEntry(result, "consumer.heartbeat.interval.ms", "7000", ConfigSource.GROUP_CONFIG);
        assertEntry(result, "consumer.session.timeout.ms", "46000", ConfigSource.STATIC_BROKER_CONFIG);
        assertThat(describe((short) 4, ConfigResource.Type.GROUP, "never-seen").errorCode())
                .isZero();
    }

    private static List<String> synonyms(DescribeConfigsResult result, String name) {
        List<String> synonyms = new ArrayList<>();
        entry(result, name)
                .synonyms()
                .forEach(synonym -> synonyms.add(synonym.source() + ":" + synonym.name() + "=" + synonym.value()));
        return synonyms;
    }

    private static void assertEntry(DescribeConfigsResult result, String name, String value, ConfigSource source) {
        assertThat(entry(result, name).value()).isEqualTo(value);
        assertThat(entry(result, name).configSource()).isEqualTo(source.id());
    }

    private static DescribeConfigsResourceResult entry(DescribeConfigsResult result, String name) {
        return result.configs().stream()
                .filter(config -> config.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private DescribeConfigsResult describe(short version, ConfigResource.Type type, String name) {
        DescribeConfigsRequestData data = new DescribeConfigsRequestData()
                .setIncludeSynonyms(true)
                .setIncludeDocumentation(version >= 3)
                .setResources(List.of(resource(type, name, List.of())));
        return call(data, version);
    }

    private static DescribeConfigsResource resource(ConfigResource.Type type, String name, List<String> keys) {
        return new DescribeConfigsResource()
                .setResourceType(type.id())
                .setResourceName(name)
                .setConfigurationKeys(keys.isEmpty() ? null : keys);
    }

    private DescribeConfigsResult call(DescribeConfigsRequestData data, short version) {
        DescribeConfigsResponse response = (DescribeConfigsResponse)
                FakeRequest.call(handler, new DescribeConfigsRequest.Builder(data).build(version));
        assertThat(response.data().results()).hasSize(1);
        return response.data().results().get(0);
    }
}
