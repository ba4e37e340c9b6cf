package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RawClient;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.AlterClientQuotasRequestData;
import org.apache.kafka.common.message.AlterClientQuotasResponseData;
import org.apache.kafka.common.message.AlterUserScramCredentialsRequestData;
import org.apache.kafka.common.message.AlterUserScramCredentialsResponseData;
import org.apache.kafka.common.message.CreateAclsRequestData;
import org.apache.kafka.common.message.CreateAclsResponseData;
import org.apache.kafka.common.message.CreateDelegationTokenRequestData;
import org.apache.kafka.common.message.CreateDelegationTokenResponseData;
import org.apache.kafka.common.message.DeleteAclsRequestData;
import org.apache.kafka.common.message.DeleteAclsResponseData;
import org.apache.kafka.common.message.DescribeAclsRequestData;
import org.apache.kafka.common.message.DescribeAclsResponseData;
import org.apache.kafka.common.message.DescribeClientQuotasRequestData;
import org.apache.kafka.common.message.DescribeClientQuotasResponseData;
import org.apache.kafka.common.message.DescribeDelegationTokenRequestData;
import org.apache.kafka.common.message.DescribeDelegationTokenResponseData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsRequestData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsResponseData;
import org.apache.kafka.common.message.ExpireDelegationTokenRequestData;
import org.apache.kafka.common.message.ExpireDelegationTokenResponseData;
import org.apache.kafka.common.message.GetTelemetrySubscriptionsRequestData;
import org.apache.kafka.common.message.GetTelemetrySubscriptionsResponseData;
import org.apache.kafka.common.message.PushTelemetryRequestData;
import org.apache.kafka.common.message.PushTelemetryResponseData;
import org.apache.kafka.common.message.RenewDelegationTokenRequestData;
import org.apache.kafka.common.message.RenewDelegationTokenResponseData;
import org.apache.kafka.common.message.StreamsGroupDescribeRequestData;
import org.apache.kafka.common.message.StreamsGroupDescribeResponseData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/** Who may what, who has which password, what clients tell of themselves, and streams groups. */
final class ClientExchanges {
    private static final byte SHA_256 = 1;

    private final String topic;
    private final AtomicInteger users = new AtomicInteger();

    ClientExchanges(String topic) {
        this.topic = topic;
    }

    List<Exchange> all() {
        return List.of(
                exchange(
                        ApiKeys.ALTER_CLIENT_QUOTAS,
                        Errors.NONE,
                        (client, version) -> alterQuota(client, version, 1e9)),
                exchange(
                        ApiKeys.ALTER_CLIENT_QUOTAS,
                        Errors.INVALID_REQUEST,
                        (client, version) -> alterQuota(client, version, -1)),
                exchange(
                        ApiKeys.DESCRIBE_CLIENT_QUOTAS,
                        Errors.NONE,
                        (client, version) -> describeQuota(client, version, (byte) 0)),
                exchange(
                        ApiKeys.DESCRIBE_CLIENT_QUOTAS,
                        Errors.INVALID_REQUEST,
                        (client, version) -> describeQuota(client, version, (byte) 9)),
                exchange(ApiKeys.ALTER_USER_SCRAM_CREDENTIALS, Errors.NONE, this::setPassword),
                exchange(ApiKeys.ALTER_USER_SCRAM_CREDENTIALS, Errors.RESOURCE_NOT_FOUND, this::dropPassword),
                exchange(ApiKeys.DESCRIBE_USER_SCRAM_CREDENTIALS, Errors.NONE, (client, version) -> {
                    setPassword(client, version);
                    return describeUsers(client, version, "user-" + users.get());
                }),
                exchange(
                        ApiKeys.DESCRIBE_USER_SCRAM_CREDENTIALS,
                        Errors.RESOURCE_NOT_FOUND,
                        (client, version) -> describeUsers(client, version, "nobody")),
                exchange(ApiKeys.DESCRIBE_ACLS, Errors.SECURITY_DISABLED, ClientExchanges::describeAcls),
                exchange(ApiKeys.CREATE_ACLS, Errors.SECURITY_DISABLED, ClientExchanges::createAcls),
                exchange(ApiKeys.DELETE_ACLS, Errors.SECURITY_DISABLED, ClientExchanges::deleteAcls),
                tokens(
                        ApiKeys.CREATE_DELEGATION_TOKEN,
                        new CreateDelegationTokenRequestData().setMaxLifetimeMs(-1),
                        answer -> ((CreateDelegationTokenResponseData) answer).errorCode()),
                tokens(
                        ApiKeys.RENEW_DELEGATION_TOKEN,
                        new RenewDelegationTokenRequestData().setHmac(new byte[3]),
                        answer -> ((RenewDelegationTokenResponseData) answer).errorCode()),
                tokens(
                        ApiKeys.EXPIRE_DELEGATION_TOKEN,
                        new ExpireDelegationTokenRequestData().setHmac(new byte[3]),
                        answer -> ((ExpireDelegationTokenResponseData) answer).errorCode()),
                tokens(
                        ApiKeys.DESCRIBE_DELEGATION_TOKEN,
                        new DescribeDelegationTokenRequestData().setOwners(null),
                        answer -> ((DescribeDelegationTokenResponseData) answer).errorCode()),
                exchange(ApiKeys.GET_TELEMETRY_SUBSCRIPTIONS, Errors.NONE, (client, version) -> subscriptions(
                                client, version, Uuid.ZERO_UUID)
                        .errorCode()),
                exchange(
                        ApiKeys.GET_TELEMETRY_SUBSCRIPTIONS,
                        Errors.THROTTLING_QUOTA_EXCEEDED,
                        (client, version) -> subscriptions(
                                        client,
                                        version,
                                        subscriptions(client, version, Uuid.ZERO_UUID)
                                                .clientInstanceId())
                                .errorCode()),
                exchange(ApiKeys.PUSH_TELEMETRY, Errors.NONE, (client, version) -> push(client, version, 0)),
                exchange(
                        ApiKeys.PUSH_TELEMETRY,
                        Errors.UNKNOWN_SUBSCRIPTION_ID,
                        (client, version) -> push(client, version, 1)),
                exchange(
                        ApiKeys.STREAMS_GROUP_HEARTBEAT,
                        Errors.NONE,
                        (client, version) -> beat(client, version, "streams-" + users.incrementAndGet(), topic)),
                exchange(
                        ApiKeys.STREAMS_GROUP_HEARTBEAT,
                        Errors.STREAMS_INVALID_TOPOLOGY,
                        (client, version) -> beat(client, version, "streams-0", "__consumer_offsets")),
                exchange(ApiKeys.STREAMS_GROUP_DESCRIBE, Errors.NONE, (client, version) -> {
                    String group = "streams-" + users.incrementAndGet();
                    assertThat(beat(client, version, group, topic)).isZero();
                    return describe(client, version, group);
                }),
                exchange(
                        ApiKeys.STREAMS_GROUP_DESCRIBE,
                        Errors.GROUP_ID_NOT_FOUND,
                        (client, version) -> describe(client, version, "nobody")));
    }

    /** Asks, and returns the error code of what it asked for. */
    private interface Question {
        short ask(RawClient client, short version) throws IOException;
    }

    private static Exchange exchange(ApiKeys api, Errors outcome, Question question) {
        return Exchange.of(api, outcome, (client, version) -> assertThat(Errors.forCode(question.ask(client, version)))
                .isEqualTo(outcome));
    }

    private static short alterQuota(RawClient client, short version, double value) throws IOException {
        AlterClientQuotasRequestData.EntryData entry = new AlterClientQuotasRequestData.EntryData();
        entry.entity()
                .add(new AlterClientQuotasRequestData.EntityData()
                        .setEntityType("client-id")
                        .setEntityName("some-client"));
        entry.ops()
                .add(new AlterClientQuotasRequestData.OpData()
                        .setKey("producer_byte_rate")
                        .setValue(value));
        AlterClientQuotasResponseData answer = client.call(
                ApiKeys.ALTER_CLIENT_QUOTAS, version, new AlterClientQuotasRequestData().setEntries(List.of(entry)));
        return answer.entries().get(0).errorCode();
    }

    private static short describeQuota(RawClient client, short version, byte matchType) throws IOException {
        DescribeClientQuotasRequestData data = new DescribeClientQuotasRequestData();
        data.components()
                .add(new DescribeClientQuotasRequestData.ComponentData()
                        .setEntityType("client-id")
                        .setMatchType(matchType)
                        .setMatch("some-client"));
        DescribeClientQuotasResponseData answer = client.call(ApiKeys.DESCRIBE_CLIENT_QUOTAS, version, data);
        return answer.errorCode();
    }

    private short setPassword(RawClient client, short version) throws IOException {
        AlterUserScramCredentialsRequestData data = new AlterUserScramCredentialsRequestData();
        data.upsertions()
                .add(new AlterUserScramCredentialsRequestData.ScramCredentialUpsertion()
                        .setName("user-" + users.incrementAndGet())
                        .setMechanism(SHA_256)
                        .setIterations(4096)
                        .setSalt(new byte[] {1})
                        .setSaltedPassword(new byte[32]));
        return alterScram(client, version, data);
    }

    private short dropPassword(RawClient client, short version) throws IOException {
        AlterUserScramCredentialsRequestData data = new AlterUserScramCredentialsRequestData();
        data.deletions()
                .add(new AlterUserScramCredentialsRequestData.ScramCredentialDeletion()
                        .setName("nobody")
                        .setMechanism(SHA_256));
        return alterScram(client, version, data);
    }

    private static short alterScram(RawClient client, short version, AlterUserScramCredentialsRequestData data)
            throws IOException {
        AlterUserScramCredentialsResponseData answer = client.call(ApiKeys.ALTER_USER_SCRAM_CREDENTIALS, version, data);
        return answer.results().get(0).errorCode();
    }

    private static short describeUsers(RawClient client, short version, String user) throws IOException {
        DescribeUserScramCredentialsResponseData answer = client.call(
                ApiKeys.DESCRIBE_USER_SCRAM_CREDENTIALS,
                version,
                new DescribeUserScramCredentialsRequestData()
                        .setUsers(List.of(new DescribeUserScramCredentialsRequestData.UserName().setName(user))));
        return answer.results().get(0).errorCode();
    }

    private static Exchange tokens(ApiKeys api, ApiMessage data, Function<ApiMessage, Short> code) {
        return exchange(
                api,
                Errors.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
                (client, version) -> code.apply(client.<ApiMessage>call(api, version, data)));
    }

    private static short describeAcls(RawClient client, short version) throws IOException {
        DescribeAclsResponseData answer = client.call(
                ApiKeys.DESCRIBE_ACLS,
                version,
                new DescribeAclsRequestData()
                        .setResourceTypeFilter((byte) 1)
                        .setResourceNameFilter(null)
                        .setPatternTypeFilter((byte) 1)
                        .setPrincipalFilter(null)
                        .setHostFilter(null)
                        .setOperation((byte) 1)
                        .setPermissionType((byte) 1));
        assertThat(answer.errorMessage()).contains("No Authorizer");
        return answer.errorCode();
    }

    private static short createAcls(RawClient client, short version) throws IOException {
        CreateAclsResponseData answer = client.call(
                ApiKeys.CREATE_ACLS,
                version,
                new CreateAclsRequestData()
                        .setCreations(List.of(new CreateAclsRequestData.AclCreation()
                                .setResourceType((byte) 2)
                                .setResourceName("t")
                                .setResourcePatternType((byte) 3)
                                .setPrincipal("User:a")
                                .setHost("*")
                                .setOperation((byte) 3)
                                .setPermissionType((byte) 3))));
        return answer.results().get(0).errorCode();
    }

    private static short deleteAcls(RawClient client, short version) throws IOException {
        DeleteAclsResponseData answer = client.call(
                ApiKeys.DELETE_ACLS,
                version,
                new DeleteAclsRequestData()
                        .setFilters(List.of(new DeleteAclsRequestData.DeleteAclsFilter()
                                .setResourceTypeFilter((byte) 2)
                                .setResourceNameFilter("t")
                                .setPatternTypeFilter((byte) 3)
                                .setPrincipalFilter("User:a")
                                .setHostFilter("*")
                                .setOperation((byte) 3)
                                .setPermissionType((byte) 3))));
        return answer.filterResults().get(0).errorCode();
    }

    private static GetTelemetrySubscriptionsResponseData subscriptions(RawClient client, short version, Uuid id)
            throws IOException {
        return client.call(
                ApiKeys.GET_TELEMETRY_SUBSCRIPTIONS,
                version,
                new GetTelemetrySubscriptionsRequestData().setClientInstanceId(id));
    }

    private static short push(RawClient client, short version, int offBy) throws IOException {
        GetTelemetrySubscriptionsResponseData asked = subscriptions(client, version, Uuid.ZERO_UUID);
        PushTelemetryResponseData answer = client.call(
                ApiKeys.PUSH_TELEMETRY,
                version,
                new PushTelemetryRequestData()
                        .setClientInstanceId(asked.clientInstanceId())
                        .setSubscriptionId(asked.subscriptionId() + offBy)
                        .setMetrics(ByteBuffer.allocate(0)));
        return answer.errorCode();
    }

    private static short beat(RawClient client, short version, String group, String source) throws IOException {
        StreamsGroupHeartbeatResponseData answer = client.call(
                ApiKeys.STREAMS_GROUP_HEARTBEAT,
                version,
                new StreamsGroupHeartbeatRequestData()
                        .setGroupId(group)
                        .setMemberId(Uuid.randomUuid().toString())
                        .setMemberEpoch(0)
                        .setRebalanceTimeoutMs(30_000)
                        .setProcessId(Uuid.randomUuid().toString())
                        .setActiveTasks(List.of())
                        .setStandbyTasks(List.of())
                        .setWarmupTasks(List.of())
                        .setTopology(new StreamsGroupHeartbeatRequestData.Topology()
                                .setEpoch(0)
                                .setSubtopologies(List.of(new StreamsGroupHeartbeatRequestData.Subtopology()
                                        .setSubtopologyId("0")
                                        .setSourceTopics(List.of(source))))));
        return answer.errorCode();
    }

    private static short describe(RawClient client, short version, String group) throws IOException {
        StreamsGroupDescribeResponseData answer = client.call(
                ApiKeys.STREAMS_GROUP_DESCRIBE,
                version,
                new StreamsGroupDescribeRequestData().setGroupIds(List.of(group)));
        return answer.groups().get(0).errorCode();
    }
}
