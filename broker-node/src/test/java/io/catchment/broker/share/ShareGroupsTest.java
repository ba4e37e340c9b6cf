package io.catchment.broker.share;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.fetch.FetchQuota;
import io.catchment.broker.group.GroupSettings;
import io.catchment.broker.partition.AbortedTransaction;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.read.BatchRuns;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeDirectory;
import io.catchment.broker.testing.FakePartition;
import io.catchment.broker.testing.ManualLoop;
import io.catchment.broker.testing.OpenRequest;
import io.catchment.broker.testing.TestBatches;
import io.catchment.broker.testing.TestProcess;
import io.catchment.broker.testing.TrackedBuffers;
import io.catchment.controlplane.Command;
import io.catchment.objectstore.ObjectStoreException;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ShareAcknowledgeRequestData;
import org.apache.kafka.common.message.ShareFetchRequestData;
import org.apache.kafka.common.message.ShareFetchRequestData.AcknowledgementBatch;
import org.apache.kafka.common.message.ShareFetchRequestData.FetchPartition;
import org.apache.kafka.common.message.ShareFetchRequestData.FetchTopic;
import org.apache.kafka.common.message.ShareFetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ShareAcknowledgeRequest;
import org.apache.kafka.common.requests.ShareAcknowledgeResponse;
import org.apache.kafka.common.requests.ShareFetchRequest;
import org.apache.kafka.common.requests.ShareFetchResponse;
import org.apache.kafka.coordinator.group.GroupConfigManager;
import org.apache.kafka.server.share.persister.NoOpStatePersister;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ShareGroupsTest {
    private static final String GROUP = "group";
    private static final short LATEST = 2;
    private static final int WAIT_MS = 500;
    private static final int AN_HOUR_MS = 3_600_000;

    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final ManualLoop loop = new ManualLoop();
    private final TestProcess process = new TestProcess(loop);
    private final FakeControlPlane control =
            new FakeControlPlane().withNode(1, "PLAINTEXT").withNode(2, "PLAINTEXT");
    private final FakeDirectory directory = new FakeDirectory();
    private final List<OpenRequest> requests = new ArrayList<>();
    private final List<FakePartition> partitions = new ArrayList<>();
    private final TrackedBuffers coldBuffers = new TrackedBuffers();
    private final List<CompletableFuture<BatchRun>> coldReads = new ArrayList<>();
    private final GroupSettings settings =
            GroupSettings.of(Map.of("group.share.max.share.sessions", "3", "group.share.max.size", "3"));
    private final GroupConfigManager configs = new GroupConfigManager(settings.coordinator(), settings.share());
    private final ShareGroups groups = new ShareGroups(
            new ShareGroups.Parts(
                    1,
                    directory,
                    control::image,
                    new ColdReader(),
                    (view, timestampMs) -> CompletableFuture.failedFuture(new AssertionError("by duration")),
                    new NoOpStatePersister(),
                    new GroupRules(configs, settings.share()),
                    1 << 20,
                    FetchQuota.NONE),
            process);
    private Uuid topicId = Uuid.ZERO_UUID;

    @BeforeEach
    void createTopic() {
        control.submit(new Command.CreateTopics(
                List.of(new Command.CreateTopic("work", 3, (short) 1, Map.of(), List.of(1, 1, 2))), false));
        topicId = control.image().topic("work").orElseThrow().topicId();
        for (int i = 0; i < 2; i++) {
            FakePartition partition = new FakePartition("work", topicId, i, 100 + i);
            partitions.add(partition);
            directory.open(partition);
        }
        Properties earliest = new Properties();
        earliest.put("share.auto.offset.reset", "earliest");
        configs.updateGroupConfig(GROUP, earliest);
    }

    @AfterEach
    void everyBufferIsReleased() {
        requests.forEach(OpenRequest::releaseRecords);
        coldReads.forEach(read -> read.complete(BatchRuns.empty(0)));
        loop.settle();
        partitions.forEach(
                partition -> assertThat(partition.buffers.unreleased()).isZero());
        assertThat(coldBuffers.unreleased()).isZero();
        configs.close();
    }

    /** Reads below the tail that the test completes. */
    private final class ColdReader implements StreamReader {
        @Override
        public CompletionStage<BatchRun> read(long streamId, long fromOffset, long limitOffset, int bytesMax) {
            CompletableFuture<BatchRun> answer = new CompletableFuture<>();
            coldReads.add(answer);
            return answer;
        }
    }

    @Test
    void aMemberGetsWhatIsThereAndThenWaitsForMore() {
        partitions.get(0).append(10, 20);
        PartitionData first = only(answered(fetch("a", 0, 0)));
        assertThat(acquired(first)).containsExactly("0-9 1x");
        assertThat(first.records().sizeInBytes())
                .isEqualTo(partitions.get(0).log().get(0).length);
        OpenRequest next = fetch("a", 1);
        loop.pass(WAIT_MS / 2);
        assertThat(next.isAnswered()).isFalse();
        partitions.get(0).append(5, 20);
        assertThat(acquired(only(answered(next)))).containsExactly("10-14 1x");
        OpenRequest last = fetch("a", 2);
        loop.pass(WAIT_MS);
        assertThat(answered(last).data().responses()).isEmpty();
    }

    @Test
    void whatAMemberHadIsFreeWhenItsConnectionIsGone() {
        partitions.get(0).append(10, 20);
        OpenRequest waiting = fetch("b", 0, 0);
        answered(waiting);
        OpenRequest other = fetch("a", 0, 0);
        loop.pass(100);
        assertThat(other.isAnswered()).isFalse();
        OpenRequest dropped = fetch("b", 1);
        loop.settle();
        dropped.disconnect();
        requests.get(0).closeConnection();
        loop.settle();
        assertThat(acquired(only(answered(other)))).containsExactly("0-9 2x");
    }

    @Test
    void aSessionEndsWithWhatItHad() {
        partitions.get(0).append(10, 20);
        answered(fetch("a", 0, 0));
        assertThat(answered(fetch("a", -1)).error()).isEqualTo(Errors.NONE);
        assertThat(answered(fetch("a", 1)).error()).isEqualTo(Errors.SHARE_SESSION_NOT_FOUND);
        assertThat(acquired(only(answered(fetch("b", 0, 0)))))
                .as("nobody kept the count: the group had no session here meanwhile")
                .containsExactly("0-9 1x");
    }

    @Test
    void requestsOutOfTurnAreRefused() {
        assertThat(answered(fetch("a", 3, 0)).error()).isEqualTo(Errors.SHARE_SESSION_NOT_FOUND);
        partitions.get(0).append(10, 20);
        answered(fetch("a", 0, 0));
        assertThat(answered(fetch("a", 2)).error()).isEqualTo(Errors.INVALID_SHARE_SESSION_EPOCH);
        assertThat(acknowledged(acknowledge("a", 0, 0, 0, 3)).error()).isEqualTo(Errors.INVALID_SHARE_SESSION_EPOCH);
    }

    @Test
    void whoFindsNoPlaceForASessionIsToldSoWhenItHasWaited() {
        fetch("a", 0);
        fetch("b", 0);
        fetch("c", 0);
        OpenRequest fourth = fetch("d", 0);
        loop.pass(WAIT_MS - 1);
        assertThat(fourth.isAnswered()).isFalse();
        loop.pass(1);
        assertThat(answered(fourth).error()).isEqualTo(Errors.SHARE_SESSION_LIMIT_REACHED);
    }

    @Test
    void acknowledgementsComeWithAFetchOrAlone() {
        partitions.get(0).append(10, 20);
        answered(fetch("a", 0, 0));
        ShareAcknowledgeResponse alone = acknowledged(acknowledge("a", 1, 0, 0, 3));
        assertThat(alone.data().responses().find(topicId).partitions().get(0).errorCode())
                .isZero();
        OpenRequest both = request(
                new ShareFetchRequest(data("a", 2).setTopics(topics(0, List.of(batch(4, 9), batch(2, 3)))), LATEST));
        PartitionData refused = only(answered(both));
        assertThat(Errors.forCode(refused.acknowledgeErrorCode())).isEqualTo(Errors.INVALID_REQUEST);
        OpenRequest again =
                request(new ShareFetchRequest(data("a", 3).setTopics(topics(0, List.of(batch(4, 9)))), LATEST));
        partitions.get(0).append(1, 20);
        PartitionData done = only(answered(again));
        assertThat(Errors.forCode(done.acknowledgeErrorCode())).isEqualTo(Errors.NONE);
        assertThat(acquired(done)).containsExactly("10-10 1x");
    }

    @Test
    void aPartitionOfAnotherNodeIsToldAtOnceWithItsLeader() {
        ShareFetchResponse answer = answered(fetch("a", 0, 2));
        PartitionData elsewhere = only(answer);
        assertThat(Errors.forCode(elsewhere.errorCode())).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(elsewhere.currentLeader().leaderId()).isEqualTo(2);
        assertThat(answer.data().nodeEndpoints().find(2)).isNotNull();
    }

    @Test
    void aMemberOfAPartitionThatMovesAwayIsToldSo() {
        partitions.get(0).append(10, 20);
        answered(fetch("a", 0, 0));
        partitions.get(0).stopServing();
        directory.close(partitions.get(0));
        PartitionData gone = only(answered(fetch("a", 1)));
        assertThat(Errors.forCode(gone.errorCode())).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        ShareAcknowledgeResponse late = acknowledged(acknowledge("a", 2, 0, 0, 9));
        assertThat(Errors.forCode(late.data()
                        .responses()
                        .find(topicId)
                        .partitions()
                        .get(0)
                        .errorCode()))
                .isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
    }

    @Test
    void aPartitionIsForgottenThoughItsTopicIsNoMore() {
        answered(fetch("a", 0, 0, 1));
        control.submit(new Command.DeleteTopics(List.of(topicId)));
        partitions.forEach(partition -> {
            partition.stopServing();
            directory.close(partition);
        });
        ShareFetchRequestData last = data("a", 1)
                .setForgottenTopicsData(List.of(new ShareFetchRequestData.ForgottenTopic()
                        .setTopicId(topicId)
                        .setPartitions(List.of(0, 1))));
        assertThat(answered(request(new ShareFetchRequest(last, LATEST))).data().responses())
                .isEmpty();
    }

    @Test
    void whatIsNotInTheTailIsReadBelowIt() {
        byte[] old = partitions.get(0).append(10, 20);
        partitions.get(0).evictTo(10);
        OpenRequest fetch = fetch("a", 0, 0);
        loop.pass(2 * WAIT_MS);
        assertThat(fetch.isAnswered()).as("a read under way is waited for").isFalse();
        coldReads.get(0).complete(new BatchRun(0, 10, coldBuffers.track(TestBatches.buffer(old))));
        assertThat(acquired(only(answered(fetch)))).containsExactly("0-9 1x");
        assertThat(coldReads).hasSize(1);
    }

    /** The partition remembers the newest aborted transactions only, and each abort makes it forget one (P3). */
    @Test
    void recordsWhoseTransactionIsForgottenWhileTheyAreReadReachNobody() {
        Properties committed = new Properties();
        committed.put("share.auto.offset.reset", "earliest");
        committed.put("share.isolation.level", "read_committed");
        configs.updateGroupConfig(GROUP, committed);
        FakePartition partition = partitions.get(0);
        byte[] old = partition.append(10, 20);
        partition.append(1, 20);
        partition.evictTo(10);
        partition.aborted = List.of(new AbortedTransaction(7, 0, 10, 11));
        OpenRequest fetch = fetch("a", 0, 0);
        loop.settle();
        partition.aborted = List.of();
        partition.abortedKnownFrom = 11;
        coldReads.get(0).complete(new BatchRun(0, 10, coldBuffers.track(TestBatches.buffer(old))));
        loop.settle();
        assertThat(fetch.isAnswered()).isFalse();
        loop.pass(WAIT_MS / 2);
        assertThat(coldReads).as("looked at again, with the markers in the log").hasSize(2);
        coldReads.get(1).complete(new BatchRun(0, 10, coldBuffers.track(TestBatches.buffer(old))));
        assertThat(acquired(only(answered(fetch)))).containsExactly("0-9 1x");
    }

    @Test
    void aReadBelowTheTailThatComesAfterTheEndIsReleased() {
        byte[] old = partitions.get(0).append(10, 20);
        partitions.get(0).evictTo(10);
        fetch("a", 0, 0);
        loop.settle();
        process.close();
        coldReads.get(0).complete(new BatchRun(0, 10, coldBuffers.track(TestBatches.buffer(old))));
        loop.settle();
        assertThat(coldBuffers.unreleased()).isZero();
    }

    @Test
    void whoAsksAfterTheEndIsToldThatItsSessionIsOver() {
        process.close();
        assertThat(answered(fetch("a", 0, 0)).error()).isEqualTo(Errors.SHARE_SESSION_NOT_FOUND);
        assertThat(acknowledged(acknowledge("a", 1, 0, 0, 9)).error()).isEqualTo(Errors.SHARE_SESSION_NOT_FOUND);
    }

    @Test
    void whoWaitsAtTheEndIsToldThatItsSessionIsOver() {
        OpenRequest forRecords = fetch("a", 0, 0);
        fetch("b", 0, 0);
        fetch("c", 0, 0);
        OpenRequest forRoom = fetch("d", 0, 0);
        loop.settle();
        assertThat(forRecords.isAnswered()).isFalse();
        assertThat(forRoom.isAnswered()).isFalse();
        process.close();
        groups.close();
        loop.settle();
        assertThat(answered(forRecords).error()).isEqualTo(Errors.SHARE_SESSION_NOT_FOUND);
        assertThat(answered(forRoom).error()).isEqualTo(Errors.SHARE_SESSION_LIMIT_REACHED);
    }

    @Test
    void aReadThatFailsIsToldWhenThereIsNothingElse() {
        partitions.get(0).append(10, 20);
        partitions.get(0).evictTo(10);
        OpenRequest fetch = fetch("a", 0, 0);
        loop.settle();
        coldReads
                .get(0)
                .completeExceptionally(new ObjectStoreException(
                        ObjectStoreException.Reason.TRANSIENT, "the store is away", new IllegalStateException("away")));
        loop.pass(WAIT_MS);
        coldReads
                .get(coldReads.size() - 1)
                .completeExceptionally(new ObjectStoreException(
                        ObjectStoreException.Reason.TRANSIENT, "the store is away", new IllegalStateException("away")));
        assertThat(Errors.forCode(only(answered(fetch)).errorCode())).isEqualTo(Errors.KAFKA_STORAGE_ERROR);
    }

    @Test
    void aMemberThatWantsManyBytesWaitsForThem() {
        partitions.get(0).append(1, 20);
        OpenRequest fetch = request(
                new ShareFetchRequest(data("a", 0).setMinBytes(10_000).setTopics(topics(0, List.of())), LATEST));
        loop.pass(WAIT_MS / 2);
        assertThat(fetch.isAnswered()).isFalse();
        partitions.get(0).append(1, 20_000);
        assertThat(acquired(only(answered(fetch)))).containsExactly("0-1 1x");
    }

    @Test
    void aRenewalIsAnsweredAtOnceWithoutRecords() {
        partitions.get(0).append(10, 20);
        answered(fetch("a", 0, 0));
        partitions.get(0).append(10, 20);
        ShareFetchRequestData renewal = data("a", 1)
                .setIsRenewAck(true)
                .setMaxWaitMs(0)
                .setMaxRecords(0)
                .setMaxBytes(0)
                .setMinBytes(0);
        renewal.setTopics(topics(
                0,
                List.of(new AcknowledgementBatch()
                        .setFirstOffset(0)
                        .setLastOffset(9)
                        .setAcknowledgeTypes(List.of((byte) 4)))));
        PartitionData answer = only(answered(request(new ShareFetchRequest(renewal, LATEST))));
        assertThat(Errors.forCode(answer.acknowledgeErrorCode())).isEqualTo(Errors.NONE);
        assertThat(answer.acquiredRecords()).isEmpty();
    }

    // ---- what is left behind

    @Test
    void whatIsAnsweredAtOnceLeavesNothingBehind() {
        for (int epoch = 0; epoch < 10_000; epoch++) {
            ShareFetchRequestData data = data("a", epoch).setMaxWaitMs(AN_HOUR_MS);
            if (epoch == 0) {
                data.setTopics(topics(2, List.of()));
            }
            OpenRequest told = request(new ShareFetchRequest(data, LATEST));
            loop.settle();
            assertThat(told.isAnswered()).isTrue();
        }
        assertThat(loop.waiting()).isLessThan(10);
    }

    @Test
    void aConnectionWhoseMemberBeginsAnewOftenIsListenedToOnce() {
        for (int time = 0; time < 10_000; time++) {
            answered(fetch("a", 0, 2));
        }
        assertThat(requests.stream().mapToInt(OpenRequest::closeListeners).sum())
                .isEqualTo(1);
        requests.get(0).closeConnection();
        loop.settle();
        assertThat(answered(fetch("a", 1)).error()).isEqualTo(Errors.SHARE_SESSION_NOT_FOUND);
    }

    @Test
    void whoFindsNoPlaceAndGoesIsForgotten() {
        answered(fetch("a", 0, 2));
        answered(fetch("b", 0, 2));
        answered(fetch("c", 0, 2));
        int before = loop.waiting();
        OpenRequest fourth = request(new ShareFetchRequest(data("d", 0).setMaxWaitMs(AN_HOUR_MS), LATEST));
        loop.settle();
        assertThat(fourth.isAnswered()).isFalse();
        fourth.disconnect();
        loop.settle();
        assertThat(loop.waiting()).isEqualTo(before);
        assertThat(fourth.isAnswered()).isTrue();
    }

    // ---- means

    private OpenRequest fetch(String member, int epoch, int... wanted) {
        ShareFetchRequestData data = data(member, epoch);
        FetchTopic topic = new FetchTopic().setTopicId(topicId);
        for (int partition : wanted) {
            topic.partitions().add(new FetchPartition().setPartitionIndex(partition));
        }
        if (wanted.length > 0) {
            data.topics().add(topic);
        }
        return request(new ShareFetchRequest(data, LATEST));
    }

    private static ShareFetchRequestData data(String member, int epoch) {
        return new ShareFetchRequestData()
                .setGroupId(GROUP)
                .setMemberId(member)
                .setShareSessionEpoch(epoch)
                .setMaxWaitMs(WAIT_MS)
                .setMinBytes(1)
                .setMaxBytes(1 << 20)
                .setMaxRecords(500)
                .setBatchSize(500);
    }

    private ShareFetchRequestData.FetchTopicCollection topics(int partition, List<AcknowledgementBatch> batches) {
        FetchTopic topic = new FetchTopic().setTopicId(topicId);
        topic.partitions().add(new FetchPartition().setPartitionIndex(partition).setAcknowledgementBatches(batches));
        ShareFetchRequestData.FetchTopicCollection topics = new ShareFetchRequestData.FetchTopicCollection();
        topics.add(topic);
        return topics;
    }

    private static AcknowledgementBatch batch(long first, long last) {
        return new AcknowledgementBatch()
                .setFirstOffset(first)
                .setLastOffset(last)
                .setAcknowledgeTypes(List.of((byte) 1));
    }

    private OpenRequest request(ShareFetchRequest body) {
        OpenRequest request =
                new OpenRequest(body, channel.eventLoop(), "of " + body.data().memberId());
        requests.add(request);
        groups.fetch(request, Integer.MAX_VALUE);
        return request;
    }

    private OpenRequest acknowledge(String member, int epoch, int partition, long first, long last) {
        var asked = new ShareAcknowledgeRequestData.AcknowledgeTopic().setTopicId(topicId);
        asked.partitions()
                .add(new ShareAcknowledgeRequestData.AcknowledgePartition()
                        .setPartitionIndex(partition)
                        .setAcknowledgementBatches(List.of(new ShareAcknowledgeRequestData.AcknowledgementBatch()
                                .setFirstOffset(first)
                                .setLastOffset(last)
                                .setAcknowledgeTypes(List.of((byte) 1)))));
        ShareAcknowledgeRequestData data = new ShareAcknowledgeRequestData()
                .setGroupId(GROUP)
                .setMemberId(member)
                .setShareSessionEpoch(epoch);
        data.topics().add(asked);
        OpenRequest request = new OpenRequest(new ShareAcknowledgeRequest(data, LATEST), channel.eventLoop());
        groups.acknowledge(request);
        return request;
    }

    private ShareFetchResponse answered(OpenRequest request) {
        loop.settle();
        if (!request.isAnswered()) {
            loop.pass(WAIT_MS);
        }
        assertThat(request.response()).isInstanceOf(ShareFetchResponse.class);
        return (ShareFetchResponse) request.response();
    }

    private ShareAcknowledgeResponse acknowledged(OpenRequest request) {
        loop.settle();
        assertThat(request.response()).isInstanceOf(ShareAcknowledgeResponse.class);
        return (ShareAcknowledgeResponse) request.response();
    }

    private static PartitionData only(ShareFetchResponse answer) {
        assertThat(answer.error()).isEqualTo(Errors.NONE);
        assertThat(answer.data().responses()).hasSize(1);
        var topic = answer.data().responses().iterator().next();
        assertThat(topic.partitions()).hasSize(1);
        return topic.partitions().get(0);
    }

    private static List<String> acquired(PartitionData answer) {
        return answer.acquiredRecords().stream()
                .map(each -> each.firstOffset() + "-" + each.lastOffset() + " " + each.deliveryCount() + "x")
                .toList();
    }
}
