package io.catchment.broker.near;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.fetch.FetchHandler;
import io.catchment.broker.fetch.FetchQuota;
import io.catchment.broker.fetch.FetchSettings;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeDirectory;
import io.catchment.broker.testing.FakePartition;
import io.catchment.broker.testing.ManualLoop;
import io.catchment.broker.testing.OpenRequest;
import io.catchment.controlplane.Command;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.utils.Time;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The follower's side against the real handler of an owner, without a network. Node 1 owns, node 2 reads. */
class NearPartitionsTest {
    private static final String TOPIC = "readings";
    private static final int PARTITIONS = 3;

    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final FakeControlPlane control = new FakeControlPlane()
            .withNode(1, "PLAINTEXT")
            .withNode(2, "PLAINTEXT")
            .withNode(3, "PLAINTEXT");
    private final ManualLoop loop = new ManualLoop();
    /** Of looks into this node's copies. */
    private final ManualLoop looking = new ManualLoop();

    private boolean diskHangs;
    private final FakeDirectory directory = new FakeDirectory();
    private final List<FakePartition> partitions = new ArrayList<>();
    private final Owner owner = new Owner();
    private OptionalLong ownCopy = OptionalLong.empty();
    private Uuid topicId = Uuid.ZERO_UUID;

    private final NearPartitions near = new NearPartitions(
            2,
            1,
            "zone-2",
            control::image,
            node -> Optional.of(new Node(node.nodeId(), "host", 1)),
            partition -> ownCopy,
            owner,
            loop,
            looking,
            NearMetrics.NONE,
            new SplittableRandom(7));

    private final FetchHandler handler = new FetchHandler(
            directory, noReads(), control::image, Time.SYSTEM, FetchSettings.defaults(), FetchQuota.NONE, near);

    private static StreamReader noReads() {
        return (stream, from, limit, bytes) -> {
            throw new AssertionError("a follower gets no records");
        };
    }

    @BeforeEach
    void start() {
        channel.freezeTime();
        control.submit(new Command.CreateTopics(
                List.of(new Command.CreateTopic(TOPIC, PARTITIONS, (short) 1, Map.of(), List.of(1, 1, 1))), false));
        topicId = control.image().topic(TOPIC).orElseThrow().topicId();
        for (int i = 0; i < PARTITIONS; i++) {
            FakePartition partition = new FakePartition(
                    TOPIC,
                    topicId,
                    i,
                    control.image().topic(TOPIC).orElseThrow().streams().get(i));
            partitions.add(partition);
            directory.open(partition);
        }
        control.subscribe(near::changed);
        near.start();
    }

    /** Requests go to the handler of an owner, unless it is away. */
    private final class Owner implements OwnerQuestions {
        private boolean silent;
        private boolean dead;
        private int asked;
        private final List<Asked> open = new ArrayList<>();

        private record Asked(OpenRequest request, CompletableFuture<FetchResponse> answer) {}

        @Override
        public CompletionStage<FetchResponse> ask(Node node, FetchRequest.Builder request) {
            asked++;
            if (dead) {
                return CompletableFuture.failedFuture(new IOException("nobody listens"));
            }
            var sent = new Asked(
                    new OpenRequest(
                            FetchRequest.parse(
                                    request.build(ApiKeys.FETCH.latestVersion()).serialize(),
                                    ApiKeys.FETCH.latestVersion()),
                            channel.eventLoop()),
                    new CompletableFuture<>());
            open.add(sent);
            if (!silent) {
                handler.handle(sent.request);
            }
            answer();
            return sent.answer;
        }

        void answer() {
            channel.runPendingTasks();
            List<Asked> done =
                    open.stream().filter(each -> each.request.isAnswered()).toList();
            open.removeAll(done);
            done.forEach(each -> each.answer.complete((FetchResponse) each.request.response()));
        }

        @Override
        public void close() {}
    }

    /** On both clocks. */
    private void pass(long ms) {
        for (long passed = 0; passed < ms; passed++) {
            channel.advanceTimeBy(1, TimeUnit.MILLISECONDS);
            channel.runScheduledPendingTasks();
            owner.answer();
            loop.pass(1);
            owner.answer();
            loop.settle();
            if (!diskHangs) {
                looking.settle();
                loop.settle();
            }
        }
    }

    private PartitionView read(int partition) {
        PartitionView found = near.find(TOPIC, topicId, partition);
        assertThat(found).isNotNull();
        return found;
    }

    @Test
    void theEndIsLearntAtOnceAndThenFollowed() {
        partitions.get(0).append(5, 10);
        PartitionView view = read(0);
        assertThat(view.highWatermark()).isEqualTo(-1);
        pass(1);
        assertThat(view.highWatermark()).isEqualTo(5);
        assertThat(view.lastStableOffset()).isEqualTo(5);
        partitions.get(0).append(2, 10);
        pass(1);
        assertThat(view.highWatermark()).isEqualTo(7);
        assertThat(partitions.get(0).buffers.unreleased()).isZero();
    }

    @Test
    void readersHearThatTheLogBeginsLater() {
        partitions.get(0).append(5, 10);
        PartitionView view = read(0);
        pass(1);
        List<Long> heard = new ArrayList<>();
        view.watch(advanced -> heard.add(advanced.logStartOffset()));
        control.trim(TOPIC, 0, 3);
        pass(1);
        assertThat(heard).containsExactly(3L);
    }

    @Test
    void aQuietStreamCostsTwoRequestsASecond() {
        PartitionView view = read(0);
        pass(100);
        int before = owner.asked;
        pass(10_000);
        assertThat(owner.asked - before).isBetween(18, 21);
        assertThat(view.isBehind()).isFalse();
    }

    @Test
    void aStreamThatIsNewDoesNotWaitForTheAnswerUnderWay() {
        read(0);
        pass(20);
        partitions.get(1).append(3, 10);
        PartitionView second = read(1);
        pass(1);
        assertThat(second.highWatermark()).isEqualTo(3);
        partitions.get(0).append(1, 10);
        partitions.get(1).append(1, 10);
        pass(2);
        assertThat(read(0).highWatermark()).isEqualTo(1);
        assertThat(second.highWatermark()).isEqualTo(4);
    }

    @Test
    void theLastStableOffsetIsToldAlsoWhenNothingElseChanges() {
        FakePartition partition = partitions.get(0);
        partition.lastStableOffset = 2;
        partition.append(5, 10);
        PartitionView view = read(0);
        pass(2);
        assertThat(view.highWatermark()).isEqualTo(5);
        assertThat(view.lastStableOffset()).isEqualTo(2);
        partition.lastStableOffset = Long.MAX_VALUE;
        partition.announce();
        pass(2);
        assertThat(view.lastStableOffset()).isEqualTo(5);
    }

    @Test
    void onlyWhatTheOwnerCalledStableIsStable() {
        FakePartition partition = partitions.get(0);
        ownCopy = OptionalLong.of(0);
        PartitionView view = read(0);
        pass(2);
        partition.lastStableOffset = 2;
        partition.append(5, 10);
        pass(1);
        partition.lastStableOffset = Long.MAX_VALUE;
        partition.append(1, 10);
        pass(1);
        ownCopy = OptionalLong.of(5);
        pass(3);
        assertThat(view.highWatermark()).isEqualTo(5);
        assertThat(view.lastStableOffset())
                .as("records of a transaction are here, its marker is not")
                .isEqualTo(2);
        ownCopy = OptionalLong.of(6);
        pass(3);
        assertThat(view.lastStableOffset()).isEqualTo(6);
    }

    /** One transaction is open from offset 2 on, and others end behind that: only together with their markers 2 is stable (P3). */
    @Test
    void aLastStableOffsetIsShownTogetherWithTheMarkersBehindIt() {
        FakePartition partition = partitions.get(0);
        ownCopy = OptionalLong.of(0);
        PartitionView view = read(0);
        pass(2);
        partition.lastStableOffset = 2;
        partition.append(5, 10);
        pass(1);
        ownCopy = OptionalLong.of(4);
        pass(3);
        assertThat(view.highWatermark()).isEqualTo(4);
        assertThat(view.lastStableOffset()).as("a marker may be at 4").isLessThanOrEqualTo(0);
        ownCopy = OptionalLong.of(5);
        pass(3);
        assertThat(view.lastStableOffset()).isEqualTo(2);
    }

    @Test
    void anOpenTransactionIsNoNews() {
        FakePartition partition = partitions.get(0);
        partition.lastStableOffset = 2;
        partition.append(5, 10);
        read(0);
        pass(50);
        int before = owner.asked;
        pass(5_000);
        assertThat(owner.asked - before).isLessThan(12);
    }

    @Test
    void whatThisNodesCopyDoesNotShowYetIsNotShownToReaders() {
        partitions.get(0).append(5, 10);
        ownCopy = OptionalLong.of(5);
        PartitionView view = read(0);
        pass(2);
        assertThat(view.highWatermark()).isEqualTo(5);
        partitions.get(0).append(4, 10);
        pass(3);
        assertThat(view.highWatermark()).isEqualTo(5);
        ownCopy = OptionalLong.of(7);
        pass(2);
        assertThat(view.highWatermark()).isEqualTo(7);
        ownCopy = OptionalLong.of(20);
        pass(2);
        assertThat(view.highWatermark()).isEqualTo(9);
    }

    @Test
    void aCopyThatDoesNotComeIsNotWaitedForLong() {
        ownCopy = OptionalLong.of(0);
        PartitionView view = read(0);
        pass(2);
        partitions.get(0).append(5, 10);
        pass(CopyLooks.PATIENCE_MS + 5);
        assertThat(view.highWatermark()).isEqualTo(5);
        partitions.get(0).append(5, 10);
        pass(2);
        assertThat(view.highWatermark()).isEqualTo(10);
        pass(3_000);
        partitions.get(0).append(5, 10);
        pass(5);
        assertThat(view.highWatermark()).isEqualTo(10);
    }

    @Test
    void aDiskThatHangsCostsTheFirstStreamItsPatienceAndTheOthersNothing() {
        ownCopy = OptionalLong.of(0);
        List<PartitionView> views = List.of(read(0), read(1), read(2));
        pass(5);
        diskHangs = true;
        partitions.get(0).append(5, 10);
        pass(CopyLooks.PATIENCE_MS + 5);
        assertThat(views.get(0).highWatermark()).isEqualTo(5);
        partitions.get(1).append(4, 10);
        partitions.get(2).append(3, 10);
        pass(2);
        assertThat(views.get(1).highWatermark()).isEqualTo(4);
        assertThat(views.get(2).highWatermark()).isEqualTo(3);
        for (int i = 0; i < 20; i++) {
            partitions.forEach(partition -> partition.append(1, 10));
            pass(500);
        }
        assertThat(looking.waiting()).as("what waits for the disk").isEqualTo(1);
        assertThat(views.get(0).highWatermark()).isEqualTo(25);
        owner.silent = true;
        pass(5_000);
        assertThat(views).allMatch(PartitionView::isBehind);
    }

    @Test
    void aDiskThatAnswersAgainIsLookedAtAgain() {
        ownCopy = OptionalLong.of(0);
        PartitionView view = read(0);
        pass(5);
        diskHangs = true;
        partitions.get(0).append(5, 10);
        pass(100);
        diskHangs = false;
        pass(3_000);
        ownCopy = OptionalLong.of(5);
        partitions.get(0).append(5, 10);
        pass(5);
        assertThat(view.highWatermark()).as("the copy is waited for").isEqualTo(5);
        ownCopy = OptionalLong.of(10);
        pass(5);
        assertThat(view.highWatermark()).isEqualTo(10);
    }

    @Test
    void aSilentOwnerIsKnownAsSuchAndWhatItSaidStaysTrue() {
        partitions.get(0).append(5, 10);
        PartitionView view = read(0);
        pass(10);
        List<Boolean> told = new ArrayList<>();
        view.watch(advanced -> told.add(advanced.isBehind()));
        owner.silent = true;
        pass(5_000);
        assertThat(view.isBehind()).isTrue();
        assertThat(view.serving()).isTrue();
        assertThat(view.highWatermark()).isEqualTo(5);
        assertThat(told).contains(true);
    }

    @Test
    void anOwnerThatComesBackIsHeardAgain() {
        PartitionView view = read(0);
        pass(10);
        owner.dead = true;
        // The answer under way comes yet
        pass(6_000);
        assertThat(view.isBehind()).isTrue();
        owner.dead = false;
        partitions.get(0).append(3, 10);
        pass(2_000);
        assertThat(view.isBehind()).isFalse();
        assertThat(view.highWatermark()).isEqualTo(3);
    }

    @Test
    void anOwnerThatDoesNotServeTheStreamYetIsAskedAgain() {
        directory.close(partitions.get(0));
        PartitionView view = read(0);
        read(1);
        pass(500);
        assertThat(view.highWatermark()).isEqualTo(-1);
        assertThat(read(1).highWatermark()).isZero();
        directory.open(partitions.get(0));
        partitions.get(0).append(3, 10);
        pass(1_500);
        assertThat(view.highWatermark()).isEqualTo(3);
    }

    @Test
    void theNextOwnersEpochIsAskedAnew() {
        partitions.get(0).append(5, 10);
        PartitionView former = read(0);
        pass(10);
        List<Boolean> told = new ArrayList<>();
        former.watch(advanced -> told.add(advanced.serving()));
        control.moveStream(TOPIC, 0, 3);
        pass(10);
        assertThat(former.serving()).isFalse();
        assertThat(told).contains(false);
        PartitionView now = read(0);
        assertThat(now).isNotSameAs(former);
        assertThat(now.leaderEpoch()).isEqualTo(former.leaderEpoch() + 1);
        assertThat(now.highWatermark()).isEqualTo(-1);
        partitions.get(0).leaderEpoch = now.leaderEpoch();
        pass(1_500);
        assertThat(now.highWatermark()).isEqualTo(5);
    }

    @Test
    void anEpochThatTheOwnerDoesNotKnowBringsNothing() {
        partitions.get(0).append(5, 10);
        partitions.get(0).leaderEpoch = 7;
        PartitionView view = read(0);
        pass(4_000);
        assertThat(view.highWatermark()).isEqualTo(-1);
        assertThat(view.isBehind()).isTrue();
    }

    @Test
    void aStreamThatBecomesThisNodesOwnIsNotReadForOthersAnyMore() {
        PartitionView former = read(0);
        pass(10);
        control.moveStream(TOPIC, 0, 2);
        pass(10);
        assertThat(former.serving()).isFalse();
        assertThat(near.find(TOPIC, topicId, 0)).isNull();
        assertThat(near.find(TOPIC, topicId, PARTITIONS)).isNull();
        assertThat(near.find(TOPIC, Uuid.randomUuid(), 0)).isNull();
    }

    @Test
    void aStreamThatNobodyReadsIsForgotten() {
        PartitionView view = read(0);
        PartitionView watched = read(1);
        watched.watch(advanced -> {});
        pass(TimeUnit.NANOSECONDS.toMillis(NearPartitions.IDLE_NANOS) + 1_100);
        assertThat(view.serving()).isFalse();
        assertThat(watched.serving()).isTrue();
        assertThat(near.size()).isEqualTo(1);
        assertThat(partitions.get(0).watchers()).isZero();
        assertThat(partitions.get(1).watchers()).isEqualTo(1);
    }
}
