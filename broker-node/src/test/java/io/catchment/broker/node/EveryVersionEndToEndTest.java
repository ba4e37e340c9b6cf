package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.request.CompatibilityTable;
import io.catchment.broker.testing.RawClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every API that a whole node announces, at every version it announces, asked over a socket and read back at that version: a
 * field that an old version lacks makes its answer impossible to write, and only asking at that version shows it.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EveryVersionEndToEndTest {
    private static final long DEADLINE_S = 30;
    /** There is nothing in them to be wrong about. */
    private static final Set<ApiKeys> NEVER_WRONG = Set.of(
            ApiKeys.LIST_GROUPS,
            ApiKeys.LIST_PARTITION_REASSIGNMENTS,
            ApiKeys.DESCRIBE_LOG_DIRS,
            ApiKeys.DESCRIBE_SHARE_GROUP_OFFSETS);

    /** Without an authorizer, and on a listener that authenticates nobody. */
    private static final Set<ApiKeys> NEVER_WELL = Set.of(
            ApiKeys.DESCRIBE_ACLS,
            ApiKeys.CREATE_ACLS,
            ApiKeys.DELETE_ACLS,
            ApiKeys.CREATE_DELEGATION_TOKEN,
            ApiKeys.RENEW_DELEGATION_TOKEN,
            ApiKeys.EXPIRE_DELEGATION_TOKEN,
            ApiKeys.DESCRIBE_DELEGATION_TOKEN);

    private static final Path README = Path.of("README.md");

    private LocalNode node;
    private RawClient client;
    private final List<Exchange> exchanges = new ArrayList<>();

    @BeforeAll
    void start(@TempDir Path directory) throws Exception {
        node = LocalNode.start(directory, Map.of());
        client = new RawClient(node.port());
        Uuid plain = create("plain", Map.of());
        Uuid compacted = create("compacted", Map.of("cleanup.policy", "compact"));
        MetadataResponseData described = client.call(
                ApiKeys.METADATA,
                (short) 12,
                new MetadataRequestData()
                        .setTopics(List.of(new MetadataRequestData.MetadataRequestTopic().setName("plain"))));
        int epoch = described.topics().find("plain").partitions().get(0).leaderEpoch();
        exchanges.addAll(new RecordExchanges("plain", plain, "compacted", compacted, epoch).all());
        exchanges.addAll(new TopicExchanges("plain", plain).all());
        exchanges.addAll(new ClusterExchanges("plain", node.controllerPort()).all());
        exchanges.addAll(new GroupExchanges("plain", plain).all());
        exchanges.addAll(new TransactionExchanges("plain", plain).all());
        exchanges.addAll(new ClientExchanges("plain").all());
        ShareExchanges shares = new ShareExchanges("plain", plain);
        exchanges.addAll(shares.all());
        awaitGroupCoordinator();
        shares.awaitCoordinator(client);
    }

    @AfterAll
    void stop() throws IOException {
        if (client != null) {
            client.close();
        }
        if (node != null) {
            node.close();
        }
    }

    @Test
    void everyAnnouncedVersionOfEveryApiIsAnswered() throws Exception {
        Map<String, Throwable> failures = new LinkedHashMap<>();
        Map<ApiKeys, Integer> asked = new HashMap<>();
        for (ApiVersion api : announced()) {
            ApiKeys key = ApiKeys.forId(api.apiKey());
            for (short version = firstServed(api); version <= api.maxVersion(); version++) {
                int successes = 0;
                for (Exchange exchange : exchanges) {
                    if (exchange.api() == key && exchange.from() <= version) {
                        successes += exchange.outcome() == Errors.NONE ? 1 : 0;
                        asked.merge(key, 1, Integer::sum);
                        talk(exchange, version, failures);
                    }
                }
                assertThat(successes > 0)
                        .as("%s version %d: ways that go well", key, version)
                        .isEqualTo(!NEVER_WELL.contains(key));
            }
        }
        System.out.println("EveryVersionEndToEndTest asked " + asked);
        assertThat(failures).isEmpty();
    }

    /** With -Dreadme.write=true it is written anew. */
    @Test
    void theReadmesTableIsWhatTheNodeAnnounces() throws Exception {
        String table = CompatibilityTable.markdown(announced());
        String readme = Files.readString(README);
        int begin = readme.indexOf(CompatibilityTable.BEGIN) + CompatibilityTable.BEGIN.length() + 1;
        int end = readme.indexOf(CompatibilityTable.END);
        assertThat(end).as("README.md has the marks of the table").isGreaterThan(begin);
        if (Boolean.getBoolean("readme.write")) {
            Files.writeString(README, readme.substring(0, begin) + table + readme.substring(end));
        } else {
            assertThat(readme.substring(begin, end))
                    .as("README.md is out of date: run this test with -Dreadme.write=true")
                    .isEqualTo(table);
        }
    }

    @Test
    void everyApiHasAWayToFail() throws Exception {
        for (ApiVersion api : announced()) {
            ApiKeys key = ApiKeys.forId(api.apiKey());
            if (!NEVER_WRONG.contains(key)) {
                assertThat(exchanges)
                        .as("%s", key)
                        .anyMatch(exchange -> exchange.api() == key && exchange.outcome() != Errors.NONE);
            }
        }
    }

    /** KIP-511: the answer is of version 0, so that any client can read which versions there are. */
    @Test
    void apiVersionsFromTheFutureIsAnsweredInTheFormOfVersionZero() throws Exception {
        try (RawClient ahead = new RawClient(node.port())) {
            ahead.send(ApiKeys.API_VERSIONS, (short) 4, (short) 99, new ApiVersionsRequestData());
            ApiVersionsResponseData answer = ahead.receive(ApiKeys.API_VERSIONS, (short) 0);
            assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.UNSUPPORTED_VERSION);
            ApiVersion itself = answer.apiKeys().find(ApiKeys.API_VERSIONS.id);
            assertThat(itself.maxVersion()).isEqualTo(ApiKeys.API_VERSIONS.latestVersion());
            ApiVersionsResponseData again = ahead.call(ApiKeys.API_VERSIONS, (short) 0, new ApiVersionsRequestData());
            assertThat(Errors.forCode(again.errorCode())).isEqualTo(Errors.NONE);
        }
    }

    @Test
    void otherVersionsThanTheAnnouncedOnesEndTheConnection() throws Exception {
        for (ApiVersion api : announced()) {
            ApiKeys key = ApiKeys.forId(api.apiKey());
            if (key == ApiKeys.API_VERSIONS) {
                continue;
            }
            assertCloses(key, (short) (api.maxVersion() + 1));
            if (firstServed(api) > 0) {
                assertCloses(key, (short) (firstServed(api) - 1));
            }
        }
        assertCloses(ApiKeys.CREATE_DELEGATION_TOKEN, (short) 1);
        assertCloses(ApiKeys.VOTE, (short) 0);
    }

    private void assertCloses(ApiKeys api, short version) throws IOException {
        try (RawClient stranger = new RawClient(node.port())) {
            stranger.send(ApiKeys.LIST_GROUPS, (short) 0, (short) 0, new ListGroupsRequestData());
            ListGroupsResponseData first = stranger.receive(ApiKeys.LIST_GROUPS, (short) 0);
            assertThat(Errors.forCode(first.errorCode())).isEqualTo(Errors.NONE);
            byte[] request = {0, 0, 0, 10, 0, (byte) api.id, 0, (byte) version, 0, 0, 0, 9, -1, -1};
            stranger.send(request);
            assertThat(stranger.isClosedByServer())
                    .as("%s version %d closes the connection", api, version)
                    .isTrue();
        }
    }

    private void talk(Exchange exchange, short version, Map<String, Throwable> failures) throws IOException {
        try {
            exchange.talk().at(client, version);
        } catch (Exception | AssertionError e) {
            failures.put(exchange.api() + " version " + version + ", " + exchange.outcome(), e);
            client.close();
            client = new RawClient(node.port());
        }
    }

    /** Produce is announced from 0 on, for old librdkafka to go on talking, but served from 3 on: as in Kafka (KAFKA-18659). */
    private static short firstServed(ApiVersion api) {
        return (short) Math.max(api.minVersion(), ApiKeys.forId(api.apiKey()).oldestVersion());
    }

    private List<ApiVersion> announced() throws IOException {
        ApiVersionsResponseData answer = client.call(ApiKeys.API_VERSIONS, (short) 0, new ApiVersionsRequestData());
        assertThat(answer.apiKeys()).hasSizeGreaterThan(20);
        return List.copyOf(answer.apiKeys());
    }

    private Uuid create(String name, Map<String, String> configs) throws IOException {
        CreatableTopic topic =
                new CreatableTopic().setName(name).setNumPartitions(1).setReplicationFactor((short) 1);
        configs.forEach((key, value) ->
                topic.configs().add(new CreatableTopicConfig().setName(key).setValue(value)));
        CreateTopicsRequestData data = new CreateTopicsRequestData().setTimeoutMs(10_000);
        data.topics().add(topic);
        CreateTopicsResponseData answer = client.call(ApiKeys.CREATE_TOPICS, (short) 7, data);
        assertThat(Errors.forCode(answer.topics().find(name).errorCode())).isEqualTo(Errors.NONE);
        return answer.topics().find(name).topicId();
    }

    /** The first question creates the offsets topic. */
    private void awaitGroupCoordinator() throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
        while (true) {
            FindCoordinatorResponseData answer = client.call(
                    ApiKeys.FIND_COORDINATOR,
                    (short) 4,
                    new FindCoordinatorRequestData().setCoordinatorKeys(List.of("g")));
            ListGroupsResponseData groups = client.call(ApiKeys.LIST_GROUPS, (short) 0, new ListGroupsRequestData());
            if (answer.coordinators().get(0).errorCode() == 0 && groups.errorCode() == 0) {
                return;
            }
            assertThat(System.nanoTime()).as("waiting for the coordinator").isLessThan(deadline);
            Thread.sleep(20); // between two questions
        }
    }
}
