package io.catchment.broker.group;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.SyncGroupRequest;
import org.apache.kafka.common.requests.SyncGroupResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The classic protocol: join, sync, heartbeat, leave. */
class ClassicGroupTest {
    private static final int LONG_SESSION_MS = 30_000;

    private final GroupFixture node = GroupFixture.running();
    private final GroupClient client = new GroupClient(node);

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void twoMembersFormAGroupAndTheLeaderSharesOutTheWork() {
        String first = client.memberId("plant", LONG_SESSION_MS);
        JoinGroupResponseData alone =
                client.join("plant", first, LONG_SESSION_MS, "readings").join();
        assertThat(alone.errorCode()).isEqualTo(Errors.NONE.code());
        assertThat(alone.leader()).isEqualTo(first);
        assertThat(sync("plant", alone, Map.of(first, new byte[] {1})).assignment())
                .containsExactly(1);

        String second = client.memberId("plant", LONG_SESSION_MS);
        CompletableFuture<JoinGroupResponseData> entering = client.join("plant", second, LONG_SESSION_MS, "readings");
        GroupFixture.await(
                () -> client.heartbeat("plant", alone) == Errors.REBALANCE_IN_PROGRESS,
                "the first hears of the second");
        assertThat(entering).isNotDone();
        JoinGroupResponseData leader =
                client.join("plant", first, LONG_SESSION_MS, "readings").join();
        JoinGroupResponseData follower = entering.join();
        assertThat(leader.members()).extracting(member -> member.memberId()).containsExactlyInAnyOrder(first, second);
        assertThat(follower.members()).isEmpty();
        assertThat(follower.generationId()).isEqualTo(leader.generationId());

        CompletableFuture<SyncGroupResponseData> waiting = client.sync("plant", follower, Map.of());
        assertThat(sync("plant", leader, Map.of(first, new byte[] {1}, second, new byte[] {2, 2}))
                        .assignment())
                .containsExactly(1);
        assertThat(waiting.join().assignment()).containsExactly(2, 2);
        assertThat(client.heartbeat("plant", follower)).isEqualTo(Errors.NONE);

        assertThat(client.leave("plant", second)).isEqualTo(Errors.NONE);
        assertThat(client.heartbeat("plant", follower)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    }

    @Test
    void aMemberThatStopsBeatingIsRemoved() {
        JoinGroupResponseData joined = stableMember("quiet", 150);
        GroupFixture.await(
                () -> client.describe("quiet", false).members().isEmpty(), "the session of the silent member ends");
        assertThat(client.heartbeat("quiet", joined)).isEqualTo(Errors.UNKNOWN_MEMBER_ID);
    }

    @Test
    void aStableGroupKeepsItsMembersAndGenerationWhenItsPartitionIsLoadedAgain() {
        JoinGroupResponseData joined = stableMember("moved", LONG_SESSION_MS);
        node.reopen(node.partitionOf("moved"));
        node.awaitLoaded();
        assertThat(client.heartbeat("moved", joined)).isEqualTo(Errors.NONE);
        assertThat(client.describe("moved", false).members()).hasSize(1);
    }

    @Test
    void syncWithoutTheProtocolItsVersionDemandsIsInconsistent() {
        JoinGroupResponseData joined = stableMember("strict", LONG_SESSION_MS);
        var request = new SyncGroupRequest.Builder(new SyncGroupRequestData()
                        .setGroupId("strict")
                        .setMemberId(joined.memberId())
                        .setGenerationId(joined.generationId()))
                .build();
        var answer = node.call(SyncGroupResponse.class, request);
        assertThat(answer.error()).isEqualTo(Errors.INCONSISTENT_GROUP_PROTOCOL);
    }

    private JoinGroupResponseData stableMember(String group, int sessionTimeoutMs) {
        String member = client.memberId(group, sessionTimeoutMs);
        JoinGroupResponseData joined =
                client.join(group, member, sessionTimeoutMs, "readings").join();
        sync(group, joined, Map.of(member, new byte[] {7}));
        return joined;
    }

    private SyncGroupResponseData sync(String group, JoinGroupResponseData joined, Map<String, byte[]> assignments) {
        SyncGroupResponseData synced = client.sync(group, joined, assignments).join();
        assertThat(Errors.forCode(synced.errorCode())).isEqualTo(Errors.NONE);
        return synced;
    }
}
