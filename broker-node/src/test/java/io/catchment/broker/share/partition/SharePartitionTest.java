package io.catchment.broker.share.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.ManualLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.errors.CoordinatorNotAvailableException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.server.share.acknowledge.ShareAcknowledgementBatch;
import org.apache.kafka.server.share.fetch.RecordState;
import org.apache.kafka.server.share.persister.PersisterStateBatch;
import org.junit.jupiter.api.Test;

class SharePartitionTest {
    private static final byte GAP = 0;
    private static final byte ACCEPT = 1;
    private static final byte RELEASE = 2;
    private static final byte REJECT = 3;
    private static final byte RENEW = 4;
    private static final int LOCK_MS = 1_000;
    private static final Appetite HUNGRY = new Appetite(500, 500, false);

    private final ManualLoop loop = new ManualLoop();
    private final MemoryState state = new MemoryState();
    private ShareLimits limits = new ShareLimits(100, 3, LOCK_MS, true);
    private int changes;
    private int endings;

    // ---- the beginning

    @Test
    void aGroupThatWasNeverHereBeginsWhereItIsToldAndTheNextOwnerToo() {
        SharePartition partition = loaded(0, 42);
        assertThat(partition.fetchOffset()).isEqualTo(42);
        assertThat(state.startOffset).isEqualTo(42);
        assertThat(loaded(1, 99).fetchOffset()).isEqualTo(42);
    }

    @Test
    void whereAGroupBeginsIsToldAgainUntilItIsKnown() {
        state.hold();
        SharePartition partition = loaded(0, 42);
        state.failNext(new CoordinatorNotAvailableException("away"));
        loop.settle();
        assertThat(partition.isActive()).isTrue();
        loop.pass(10 * LOCK_MS);
        state.failNext(new CoordinatorNotAvailableException("still away"));
        loop.pass(10 * LOCK_MS);
        assertThat(state.held()).as("one write at a time").isEqualTo(1);
        state.letGo();
        loop.settle();
        assertThat(state.startOffset).isEqualTo(42);
        assertThat(partition.isSettled()).isTrue();
        assertThat(loaded(1, 99).fetchOffset()).isEqualTo(42);
    }

    @Test
    void whatTheStoreKnowsIsWhereTheNextOwnerGoesOn() {
        SharePartition first = loaded(0, 0);
        first.acquire("a", HUNGRY, log(0, 10, 10));
        acknowledged(first, "a", 0, 4, ACCEPT);
        acknowledged(first, "a", 7, 7, ACCEPT);
        acknowledged(first, "a", 12, 12, RELEASE);
        assertThat(state.startOffset).isEqualTo(5);
        assertThat(state.doneCount).isEqualTo(1);

        SharePartition second = loaded(1, 0);
        assertThat(second.startOffset()).isEqualTo(5);
        assertThat(second.fetchOffset()).isEqualTo(5);
        assertThat(second.acquire("b", HUNGRY, log(0, 10, 10)))
                .containsExactly(
                        new Acquired(5, 6, 1),
                        new Acquired(8, 11, 1),
                        new Acquired(12, 12, 2),
                        new Acquired(13, 19, 1));
    }

    @Test
    void theOwnerBeforeIsFencedAndSaysSo() {
        SharePartition old = loaded(0, 0);
        old.acquire("a", HUNGRY, log(0, 10));
        SharePartition next = loaded(1, 0);
        assertThat(error(old.acknowledge("a", List.of(batch(0, 9, ACCEPT))).toCompletableFuture()))
                .isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(old.endedBy()).isNotNull();
        assertThat(endings).isEqualTo(1);
        assertThat(next.acquire("b", HUNGRY, log(0, 10))).containsExactly(new Acquired(0, 9, 1));
    }

    @Test
    void aStateThatCannotBeReadEndsItAtOnce() {
        state.leaderEpoch = 7;
        SharePartition partition = loaded(3, 0);
        assertThat(partition.isActive()).isFalse();
        assertThat(Errors.forException(partition.endedBy())).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
    }

    @Test
    void aStateThatMakesNoSenseEndsItAtOnce() {
        state.startOffset = 10;
        state.offsets.put(3L, new PersisterStateBatch(3, 4, RecordState.AVAILABLE.id(), (short) 1));
        assertUseless(loaded(0, 0));
        state.offsets.clear();
        state.offsets.put(12L, new PersisterStateBatch(12, 14, (byte) 77, (short) 1));
        assertUseless(loaded(1, 0));
        assertThat(state.writes).isEmpty();
    }

    private static void assertUseless(SharePartition partition) {
        assertThat(partition.isActive()).isFalse();
        assertThat(Errors.forException(partition.endedBy())).isEqualTo(Errors.UNKNOWN_SERVER_ERROR);
    }

    // ---- delivery

    @Test
    void membersGetDifferentRecords() {
        SharePartition partition = loaded(0, 0);
        assertThat(partition.acquire("a", new Appetite(15, 500, false), log(0, 10, 10, 10)))
                .containsExactly(new Acquired(0, 19, 1));
        assertThat(partition.fetchOffset()).isEqualTo(20);
        assertThat(partition.acquire("b", HUNGRY, log(20, 10))).containsExactly(new Acquired(20, 29, 1));
    }

    @Test
    void aStrictMemberGetsNoMoreThanItAskedFor() {
        SharePartition partition = loaded(0, 0);
        Appetite strict = new Appetite(4, 500, true);
        assertThat(partition.acquire("a", strict, log(0, 10))).containsExactly(new Acquired(0, 3, 1));
        assertThat(partition.fetchOffset()).isEqualTo(4);
        assertThat(partition.acquire("b", strict, log(0, 10))).containsExactly(new Acquired(4, 7, 1));
        partition.release("a");
        assertThat(partition.acquire("c", new Appetite(3, 500, true), log(0, 10)))
                .containsExactly(new Acquired(0, 2, 2));
    }

    @Test
    void recordsComeInGroupsOfAboutTheBatchSize() {
        assertThat(loaded(0, 0).acquire("a", new Appetite(500, 15, false), log(0, 10, 10, 10)))
                .containsExactly(new Acquired(0, 19, 1), new Acquired(20, 29, 1));
    }

    @Test
    void noMoreThanTheLimitIsUnderWay() {
        limits = new ShareLimits(15, 3, LOCK_MS, true);
        SharePartition partition = loaded(0, 0);
        assertThat(partition.acquire("a", HUNGRY, log(0, 10, 10, 10))).containsExactly(new Acquired(0, 19, 1));
        assertThat(partition.fetchOffset()).isEqualTo(-1);
        assertThat(partition.acquire("b", HUNGRY, log(20, 10))).isEmpty();
        acknowledged(partition, "a", 0, 9, ACCEPT);
        assertThat(partition.fetchOffset()).isEqualTo(20);
    }

    @Test
    void whatIsGivenBackIsDeliveredThoughNothingNewMayBe() {
        limits = new ShareLimits(5, 3, LOCK_MS, true);
        SharePartition partition = loaded(0, 0);
        partition.acquire("a", new Appetite(5, 500, true), log(0, 10));
        acknowledged(partition, "a", 3, 3, RELEASE);
        assertThat(partition.fetchOffset()).isEqualTo(3);
        assertThat(partition.acquire("b", HUNGRY, log(0, 10))).containsExactly(new Acquired(3, 3, 2));
    }

    @Test
    void offsetsThatAreNotInTheLogAreDoneWith() {
        SharePartition partition = loaded(0, 0);
        Found found = new Found(0, List.of(new Found.Span(3, 5, true), new Found.Span(8, 9, true)));
        assertThat(partition.acquire("a", HUNGRY, found)).containsExactly(new Acquired(3, 5, 1), new Acquired(8, 9, 1));
        assertThat(partition.startOffset()).isEqualTo(3);
        acknowledged(partition, "a", 3, 5, ACCEPT);
        assertThat(partition.startOffset()).isEqualTo(8);
        assertThat(state.startOffset).isEqualTo(8);
    }

    @Test
    void whatCompactionTookFromUnderItIsDoneWith() {
        SharePartition partition = loaded(0, 0);
        partition.acquire("a", HUNGRY, log(0, 10, 10));
        partition.release("a");
        Found compacted = new Found(0, List.of(new Found.Span(6, 6, true), new Found.Span(10, 19, true)));
        assertThat(partition.acquire("b", HUNGRY, compacted))
                .containsExactly(new Acquired(6, 6, 2), new Acquired(10, 19, 2));
        assertThat(partition.startOffset()).isEqualTo(6);
    }

    @Test
    void markersAndAbortedRecordsReachNobody() {
        SharePartition partition = loaded(0, 0);
        Found found = new Found(
                0, List.of(new Found.Span(0, 4, false), new Found.Span(5, 5, false), new Found.Span(6, 9, true)));
        assertThat(partition.acquire("a", HUNGRY, found)).containsExactly(new Acquired(6, 9, 1));
        assertThat(partition.startOffset()).isEqualTo(6);
    }

    // ---- acknowledgement

    @Test
    void eachTypeOfAcknowledgementHasItsEffect() {
        SharePartition partition = loaded(0, 0);
        partition.acquire("a", HUNGRY, log(0, 10));
        acknowledged(partition, "a", 1, 4, ACCEPT, REJECT, RELEASE, GAP);
        assertThat(stored(1)).isEqualTo(RecordState.ACKNOWLEDGED);
        assertThat(stored(2)).isEqualTo(RecordState.ARCHIVED);
        assertThat(stored(3)).isEqualTo(RecordState.AVAILABLE);
        assertThat(stored(4)).isEqualTo(RecordState.ARCHIVED);
        assertThat(partition.fetchOffset()).isEqualTo(3);
        assertThat(partition.acquire("b", HUNGRY, log(0, 10))).containsExactly(new Acquired(3, 3, 2));
        acknowledged(partition, "a", 0, 0, ACCEPT);
        assertThat(partition.startOffset()).isEqualTo(3);
    }

    @Test
    void onlyWhoHasARecordAcknowledgesItAndThenAllOrNothing() {
        SharePartition partition = loaded(0, 0);
        partition.acquire("a", new Appetite(10, 500, false), log(0, 10));
        partition.acquire("b", HUNGRY, log(10, 10));
        assertThat(error(partition.acknowledge("a", List.of(batch(0, 5, ACCEPT), batch(8, 12, ACCEPT)))))
                .isEqualTo(Errors.INVALID_RECORD_STATE);
        assertThat(partition.startOffset()).isZero();
        assertThat(error(partition.acknowledge("a", List.of(batch(0, 25, ACCEPT)))))
                .isEqualTo(Errors.INVALID_REQUEST);
        acknowledged(partition, "a", 0, 9, ACCEPT);
        assertThat(error(partition.acknowledge("a", List.of(batch(0, 12, ACCEPT)))))
                .isEqualTo(Errors.INVALID_RECORD_STATE);
    }

    @Test
    void anAcknowledgementIsAnsweredWhenItIsKnownAndHasNoEffectBefore() {
        SharePartition partition = loaded(0, 0);
        partition.acquire("a", HUNGRY, log(0, 10));
        state.hold();
        CompletableFuture<Void> first = acknowledge(partition, "a", batch(0, 3, ACCEPT));
        CompletableFuture<Void> second = acknowledge(partition, "a", batch(4, 5, RELEASE));
        CompletableFuture<Void> third = acknowledge(partition, "a", batch(6, 6, ACCEPT));
        loop.settle();
        assertThat(List.of(first.isDone(), second.isDone(), third.isDone())).containsOnly(false);
        assertThat(partition.startOffset()).isZero();
        assertThat(state.held()).as("the others go together, after the first").isEqualTo(1);
        assertThat(partition.acquire("b", HUNGRY, log(0, 10))).isEmpty();
        state.letGo();
        loop.settle();
        assertThat(first).isCompleted();
        assertThat(second).isCompleted();
        assertThat(third).isCompleted();
        assertThat(partition.acquire("b", HUNGRY, log(0, 10))).containsExactly(new Acquired(4, 5, 2));
    }

    @Test
    void anAcknowledgementThatCannotBeStoredIsUndoneAndTheLockGoesOn() {
        SharePartition partition = loaded(0, 0);
        partition.acquire("a", HUNGRY, log(0, 10));
        state.hold();
        CompletableFuture<Void> lost = acknowledge(partition, "a", batch(0, 9, ACCEPT));
        loop.pass(LOCK_MS / 2);
        state.failNext(new CoordinatorNotAvailableException("away"));
        state.letGo();
        loop.settle();
        assertThat(error(lost)).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(partition.isActive()).isTrue();
        assertThat(partition.acquire("b", HUNGRY, log(0, 10))).isEmpty();
        loop.pass(LOCK_MS);
        assertThat(partition.acquire("b", HUNGRY, log(0, 10))).containsExactly(new Acquired(0, 9, 2));
    }

    @Test
    void aLockThatEndsWhileItsAcknowledgementIsUnderWayWaitsForTheOutcome() {
        SharePartition partition = loaded(0, 0);
        partition.acquire("a", HUNGRY, log(0, 10));
        state.hold();
        CompletableFuture<Void> lost = acknowledge(partition, "a", batch(0, 9, ACCEPT));
        loop.pass(2 * LOCK_MS);
        assertThat(partition.acquire("b", HUNGRY, log(0, 10))).isEmpty();
        state.failNext(new CoordinatorNotAvailableException("away"));
        state.letGo();
        loop.settle();
        assertThat(error(lost)).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(partition.acquire("b", HUNGRY, log(0, 10))).containsExactly(new Acquired(0, 9, 2));
    }

    @Test
    void aLockEndsInTimeThoughNobodyHeldOneWhenLocksWereLookedAt() {
        SharePartition partition = loaded(0, 0);
        partition.acquire("a", HUNGRY, log(0, 10));
        loop.pass(300);
        partition.acquire("b", HUNGRY, log(10, 10));
        acknowledged(partition, "a", 0, 9, ACCEPT);
        loop.pass(650);
        state.hold();
        CompletableFuture<Void> lost = acknowledge(partition, "b", batch(10, 19, ACCEPT));
        // The look that was due for the first member
        loop.pass(100);
        state.failNext(new CoordinatorNotAvailableException("away"));
        state.letGo();
        assertThat(error(lost)).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        assertThat(partition.acquire("c", HUNGRY, log(10, 10))).isEmpty();
        loop.pass(300);
        assertThat(partition.acquire("c", HUNGRY, log(10, 10))).containsExactly(new Acquired(10, 19, 2));
    }

    @Test
    void aShorterLockDoesNotWaitForALongerOne() {
        SharePartition partition = loaded(0, 0);
        partition.acquire("a", HUNGRY, log(0, 10));
        limits = new ShareLimits(100, 3, LOCK_MS / 10, true);
        partition.acquire("b", HUNGRY, log(10, 10));
        loop.pass(LOCK_MS / 5);
        assertThat(partition.acquire("c", HUNGRY, log(0, 10, 10))).containsExactly(new Acquired(10, 19, 2));
        limits = new ShareLimits(100, 3, LOCK_MS, true);
        loop.pass(LOCK_MS);
        assertThat(partition.fetchOffset()).as("the longer one ends too").isZero();
    }

    @Test
    void acknowledgementsOfWhatRetentionTookAreNoError() {
        SharePartition partition = loaded(0, 0);
        partition.acquire("a", HUNGRY, log(0, 10, 10));
        partition.logStartsAt(15);
        assertThat(partition.startOffset()).isEqualTo(15);
        acknowledged(partition, "a", 0, 17, ACCEPT);
        assertThat(partition.startOffset()).isEqualTo(18);
        assertThat(state.startOffset).isEqualTo(18);
    }

    @Test
    void aLogThatStartsBehindEverythingDeliveredStartsTheGroupThere() {
        SharePartition partition = loaded(0, 0);
        partition.acquire("a", HUNGRY, log(0, 10));
        partition.logStartsAt(30);
        assertThat(partition.fetchOffset()).isEqualTo(30);
        assertThat(partition.acquire("a", HUNGRY, log(30, 10))).containsExactly(new Acquired(30, 39, 1));
    }

    @Test
    void aLogThatStartsLaterIsStoredThoughNothingMoreIsDelivered() {
        SharePartition partition = loaded(0, 0);
        partition.logStartsAt(30);
        loop.settle();
        assertThat(state.startOffset).isEqualTo(30);
        assertThat(partition.isSettled()).as("so it can be let go").isTrue();
    }

    // ---- what is given back

    @Test
    void aLockThatEndsMakesTheRecordAvailableUntilItWasDeliveredTooOften() {
        SharePartition partition = loaded(0, 0);
        for (int delivery = 1; delivery <= 3; delivery++) {
            assertThat(partition.acquire("a", HUNGRY, log(0, 10))).containsExactly(new Acquired(0, 9, delivery));
            loop.pass(LOCK_MS - 1);
            assertThat(partition.acquire("b", HUNGRY, log(0, 10))).isEmpty();
            loop.pass(100);
        }
        assertThat(partition.startOffset()).as("archived").isEqualTo(10);
        assertThat(state.startOffset).isEqualTo(10);
        assertThat(partition.fetchOffset()).isEqualTo(10);
    }

    @Test
    void deliveryCountsOutliveTheOwner() {
        SharePartition first = loaded(0, 0);
        first.acquire("a", HUNGRY, log(0, 10));
        loop.pass(2 * LOCK_MS);
        first.acquire("a", HUNGRY, log(0, 10));
        loop.pass(2 * LOCK_MS);
        SharePartition second = loaded(1, 0);
        assertThat(second.acquire("b", HUNGRY, log(0, 10))).containsExactly(new Acquired(0, 9, 3));
        second.release("b");
        loop.settle();
        assertThat(second.startOffset()).as("that was the last time").isEqualTo(10);
    }

    @Test
    void aMembersRecordsAreFreeWhenItIsGone() {
        SharePartition partition = loaded(0, 0);
        partition.acquire("a", new Appetite(10, 500, false), log(0, 10));
        partition.acquire("b", HUNGRY, log(10, 10));
        int before = changes;
        partition.release("a");
        assertThat(changes).isGreaterThan(before);
        assertThat(partition.fetchOffset()).isZero();
        assertThat(partition.acquire("c", HUNGRY, log(0, 10, 10))).containsExactly(new Acquired(0, 9, 2));
    }

    @Test
    void moreTimeIsGivenToWhoAsksForIt() {
        SharePartition partition = loaded(0, 0);
        partition.acquire("a", HUNGRY, log(0, 10));
        int writes = state.writes.size();
        for (int time = 0; time < 5; time++) {
            loop.pass(LOCK_MS / 2);
            acknowledged(partition, "a", 0, 4, RENEW);
        }
        assertThat(state.writes.size()).as("only the others' end is stored").isEqualTo(writes + 1);
        assertThat(partition.acquire("b", HUNGRY, log(0, 10))).containsExactly(new Acquired(5, 9, 2));
        acknowledged(partition, "a", 0, 4, ACCEPT);
        assertThat(partition.startOffset()).isEqualTo(5);
    }

    @Test
    void anEndFailsWhoWaits() {
        SharePartition partition = loaded(0, 0);
        partition.acquire("a", HUNGRY, log(0, 10));
        state.hold();
        CompletableFuture<Void> underWay = acknowledge(partition, "a", batch(0, 3, ACCEPT));
        CompletableFuture<Void> waiting = acknowledge(partition, "a", batch(4, 5, ACCEPT));
        partition.end(Errors.NOT_LEADER_OR_FOLLOWER.exception("moved"));
        assertThat(error(waiting)).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
        assertThat(underWay).isNotDone();
        state.letGo();
        loop.settle();
        assertThat(underWay).as("it was stored").isCompleted();
        assertThat(partition.acquire("b", HUNGRY, log(0, 10))).isEmpty();
    }

    // ---- means

    private SharePartition loaded(int leaderEpoch, long beginning) {
        SharePartition partition = new SharePartition(
                "group/topic-0", leaderEpoch, state, () -> limits, loop, new SharePartition.Listener() {
                    @Override
                    public void changed(SharePartition each) {
                        changes++;
                    }

                    @Override
                    public void ended(SharePartition each) {
                        endings++;
                    }
                });
        partition.load(() -> CompletableFuture.completedFuture(beginning));
        loop.settle();
        return partition;
    }

    /** Batches of so many records, one after the other. */
    private static Found log(long fromOffset, int... counts) {
        List<Found.Span> spans = new ArrayList<>();
        long offset = fromOffset;
        for (int count : counts) {
            spans.add(new Found.Span(offset, offset + count - 1, true));
            offset += count;
        }
        return new Found(fromOffset, spans);
    }

    private static ShareAcknowledgementBatch batch(long first, long last, Byte... types) {
        return new ShareAcknowledgementBatch(first, last, List.of(types));
    }

    private static CompletableFuture<Void> acknowledge(
            SharePartition partition, String member, ShareAcknowledgementBatch batch) {
        return partition.acknowledge(member, List.of(batch)).toCompletableFuture();
    }

    private void acknowledged(SharePartition partition, String member, long first, long last, Byte... types) {
        CompletableFuture<Void> done = acknowledge(partition, member, batch(first, last, types));
        loop.settle();
        assertThat(done).isCompleted();
    }

    private RecordState stored(long offset) {
        return RecordState.forId(state.offsets.get(offset).deliveryState());
    }

    private Errors error(java.util.concurrent.CompletionStage<Void> stage) {
        loop.settle();
        CompletableFuture<Void> done = stage.toCompletableFuture();
        assertThat(done).isCompletedExceptionally();
        try {
            done.join();
            throw new AssertionError("it went well");
        } catch (CompletionException e) {
            return Errors.forException(e.getCause());
        }
    }
}
