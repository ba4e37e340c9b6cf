package io.catchment.broker.bucket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.broker.testing.ManualLoop;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.testing.MemoryStore;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

/** Two clusters never own one bucket, and who does not know does not write. */
class BucketOwnerTest {
    private static final long CHECK_MS = 5_000;
    private static final Uuid HISTORY = new Uuid(4, 1);
    private static final Uuid OTHER = new Uuid(4, 2);

    private final ManualLoop time = new ManualLoop();
    private final Switched bucket = new Switched();

    /** A bucket that can be away, and whose answers to claims can get lost. */
    private static final class Switched extends MemoryStore {
        private boolean away;
        private boolean claimsUnheard;
        private boolean outOfMemory;
        private int lists;

        private <T> CompletionStage<T> failed() {
            return CompletableFuture.failedStage(new ObjectStoreException(Reason.TRANSIENT, "away", null));
        }

        @Override
        public CompletionStage<Void> putIfAbsent(String key, ByteBuf body) {
            CompletionStage<Void> done = super.putIfAbsent(key, body);
            return claimsUnheard ? failed() : done;
        }

        @Override
        public CompletionStage<List<Listed>> list(String prefix) {
            lists++;
            if (outOfMemory) {
                throw new OutOfMemoryError("injected: no direct memory");
            }
            return away ? failed() : super.list(prefix);
        }
    }

    private BucketOwner owner(String clusterId) {
        return owner(clusterId, CompletableFuture.completedStage(HISTORY));
    }

    private BucketOwner owner(String clusterId, CompletionStage<Uuid> history) {
        return new BucketOwner(bucket, clusterId, history, CHECK_MS, time);
    }

    private static ByteBuf body() {
        return Unpooled.wrappedBuffer(new byte[] {1});
    }

    private void takeOver(String clusterId, long generation) {
        takeOver(clusterId, generation, HISTORY);
    }

    private void takeOver(String clusterId, long generation, Uuid history) {
        new OwnerMarkers(bucket)
                .claim(new OwnerMarker(generation, clusterId, history, 15_000, 0))
                .toCompletableFuture()
                .join();
    }

    private static void assertRefused(CompletionStage<?> stage) {
        assertThatThrownBy(() -> stage.toCompletableFuture().join())
                .hasCauseInstanceOf(ObjectStoreException.class)
                .hasMessageContaining("belongs to cluster");
    }

    @Test
    void aLookThatThrowsIsFollowedByAnother() {
        BucketOwner owner = owner("a");
        owner.start().toCompletableFuture().join();
        bucket.outOfMemory = true;
        time.pass(BucketOwner.validityMs(CHECK_MS));
        assertThat(owner.mayWrite()).isFalse();
        bucket.outOfMemory = false;
        time.pass(CHECK_MS);
        assertThat(owner.mayWrite()).isTrue();
    }

    @Test
    void aBucketThatNobodyOwnsIsTakenOnceByAllNodesOfACluster() {
        BucketOwner first = owner("a");
        BucketOwner second = owner("a");
        first.start().toCompletableFuture().join();
        second.start().toCompletableFuture().join();
        assertThat(first.generation()).isEqualTo(1);
        assertThat(second.generation()).isEqualTo(1);
        assertThat(bucket.list("owner/").toCompletableFuture().join()).hasSize(1);
        assertThat(first.mayWrite()).isTrue();
    }

    @Test
    void anotherClustersBucketIsRefusedForGood() {
        owner("a").start().toCompletableFuture().join();
        BucketOwner foreign = owner("b");
        assertRefused(foreign.start());
        assertThat(foreign.otherOwner()).hasValue("The object store belongs to cluster a, generation 1");
        assertThat(foreign.mayWrite()).isFalse();
        OwnedStore store = new OwnedStore(bucket, foreign);
        ByteBuf body = body();
        assertRefused(store.put("x", body));
        assertRefused(store.delete(List.of("x")));
        assertThat(body.refCnt()).isZero();
        assertThat(bucket.size("x")).isEqualTo(-1);
    }

    /** Controllers that lost their directories and formed the cluster anew, with ids from 1 on. */
    @Test
    void anotherHistoryOfTheSameClusterNeitherPutsNorDeletes() {
        owner("a").start().toCompletableFuture().join();
        BucketOwner anew = owner("a", CompletableFuture.completedStage(OTHER));
        assertOfAnotherHistory(anew);
        assertThat(owner("b").otherHistory()).isEmpty();
    }

    private void assertOfAnotherHistory(BucketOwner owner) {
        assertThatThrownBy(() -> owner.start().toCompletableFuture().join())
                .hasCauseInstanceOf(ObjectStoreException.class)
                .hasMessageContaining("another history of cluster a");
        assertThat(owner.otherHistory().orElseThrow())
                .contains("catchment recover")
                .contains("new catchment.cluster.id")
                .contains("another bucket or prefix");
        assertThat(owner.otherOwner()).isEqualTo(owner.otherHistory());
        assertThat(owner.generation()).isZero();
        OwnedStore store = new OwnedStore(bucket, owner);
        ByteBuf body = body();
        assertThatThrownBy(() -> store.put("x", body).toCompletableFuture().join())
                .hasMessageContaining("another history");
        assertThatThrownBy(
                        () -> store.delete(List.of("x")).toCompletableFuture().join())
                .hasMessageContaining("another history");
        assertThat(body.refCnt()).isZero();
        assertThat(bucket.size("x")).isEqualTo(-1);
    }

    @Test
    void aHistoryWithoutAnIdAgreesWithAMarkerWithoutOneAndWithNoOther() {
        takeOver("a", 1, Uuid.ZERO_UUID);
        BucketOwner upgraded = owner("a", CompletableFuture.completedStage(Uuid.ZERO_UUID));
        upgraded.start().toCompletableFuture().join();
        assertThat(upgraded.mayWrite()).isTrue();
        // Its controllers are lost, and the version that forms the cluster anew draws an id
        assertOfAnotherHistory(owner("a"));
        takeOver("a", 2, HISTORY);
        assertOfAnotherHistory(owner("a", CompletableFuture.completedStage(Uuid.ZERO_UUID)));
    }

    @Test
    void aBucketThatIsRecoveredUnderAnOlderNameIsNotThatClustersAgain() {
        BucketOwner first = owner("a");
        first.start().toCompletableFuture().join();
        takeOver("a", 2, OTHER);
        time.pass(CHECK_MS + 1);
        assertThat(first.otherHistory()).isPresent();
        assertThat(first.mayWrite()).isFalse();
    }

    @Test
    void beforeTheHistoryIsKnownNothingIsClaimedOrWrittenAndAnotherClustersBucketIsKnownAnyway() {
        CompletableFuture<Uuid> history = new CompletableFuture<>();
        BucketOwner owner = owner("a", history);
        CompletionStage<Void> first = owner.start();
        time.pass(10 * CHECK_MS);
        assertThat(first.toCompletableFuture().isDone()).isFalse();
        assertThat(owner.mayWrite()).isFalse();
        assertThat(bucket.list("").toCompletableFuture().join()).isEmpty();
        history.complete(HISTORY);
        first.toCompletableFuture().join();
        assertThat(owner.generation()).isEqualTo(1);
        assertRefused(owner("b", new CompletableFuture<>()).start());
    }

    @Test
    void aClaimOfUnknownFateIsSettledByALook() {
        bucket.claimsUnheard = true;
        BucketOwner owner = owner("a");
        owner.start().toCompletableFuture().join();
        assertThat(owner.generation()).isEqualTo(1);
    }

    @Test
    void aFormerOwnerDeletesNothingFromThenOnAndPutsNothingOnceItsValidityIsOver() {
        BucketOwner owner = owner("a");
        owner.start().toCompletableFuture().join();
        OwnedStore store = new OwnedStore(bucket, owner);
        store.put("before", body()).toCompletableFuture().join();
        takeOver("b", 2);
        // A put may begin within the validity of the last look; it does no harm, its id is a former owner's
        store.put("late", body()).toCompletableFuture().join();
        assertRefused(store.delete(List.of("before")));
        assertThat(bucket.size("before")).isEqualTo(1);
        assertRefused(store.put("after", body()));
        assertThat(owner.generation()).isZero();
        assertThat(owner.otherOwner()).hasValue("The object store belongs to cluster b, generation 2");
    }

    @Test
    void theNextLookNoticesByItself() {
        BucketOwner owner = owner("a");
        owner.start().toCompletableFuture().join();
        takeOver("b", 2);
        time.pass(CHECK_MS + 1);
        assertThat(owner.otherOwner()).isPresent();
        int looks = bucket.lists;
        time.pass(100 * CHECK_MS);
        assertThat(bucket.lists).as("nothing to look for any more").isEqualTo(looks);
    }

    @Test
    void withoutALookTheRightLapsesAndTheNextWriteLooksFirst() {
        BucketOwner owner = owner("a");
        owner.start().toCompletableFuture().join();
        OwnedStore store = new OwnedStore(bucket, owner);
        bucket.away = true;
        time.pass(BucketOwner.validityMs(CHECK_MS) - 1);
        assertThat(owner.mayWrite()).isTrue();
        time.pass(2);
        assertThat(owner.mayWrite()).isFalse();
        ByteBuf body = body();
        assertThatThrownBy(() -> store.put("x", body).toCompletableFuture().join())
                .hasMessageContaining("away");
        assertThat(body.refCnt()).isZero();
        bucket.away = false;
        store.put("x", body()).toCompletableFuture().join();
        assertThat(bucket.size("x")).isEqualTo(1);
    }

    @Test
    void aStoreThatIsAwayAtTheStartIsAskedUntilItAnswers() {
        bucket.away = true;
        BucketOwner owner = owner("a");
        assertThatThrownBy(() -> owner.start().toCompletableFuture().join()).hasMessageContaining("away");
        assertThat(owner.mayWrite()).isFalse();
        assertThat(owner.otherOwner()).isEmpty();
        bucket.away = false;
        time.pass(CHECK_MS + 1);
        assertThat(owner.mayWrite()).isTrue();
    }

    @Test
    void aMarkerThatCannotBeReadIsNobodysAndNothingIsWritten() {
        owner("a").start().toCompletableFuture().join();
        bucket.corrupt("owner/0000000000000001", 20);
        BucketOwner owner = owner("a");
        assertThatThrownBy(() -> owner.start().toCompletableFuture().join()).hasMessageContaining("cannot be read");
        assertThat(owner.mayWrite()).isFalse();
    }
}
