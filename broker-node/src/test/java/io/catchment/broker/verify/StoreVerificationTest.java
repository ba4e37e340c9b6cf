package io.catchment.broker.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.broker.testing.CatalogImage;
import io.catchment.broker.testing.TestBatches;
import io.catchment.broker.verify.StoreReport.Amount;
import io.catchment.broker.verify.StoreReport.Dangling;
import io.catchment.broker.verify.StoreReport.Stored;
import io.catchment.broker.verify.StoreReport.WrongSize;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.ObjectState;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStoreException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is reported of a bucket and a catalog that do not agree, and what is not while the cluster works on. */
class StoreVerificationTest {
    private static final int SHOWN_MAX = 1_000;

    @TempDir
    Path directory;

    private CatalogWorld world;
    private long stream;

    @BeforeEach
    void start() {
        world = new CatalogWorld(directory);
        stream = world.topic("kept");
    }

    @AfterEach
    void stop() {
        world.close();
    }

    private StoreReport verify() throws Exception {
        return verify(false);
    }

    private StoreReport verify(boolean deleteOrphans) throws Exception {
        return verify(world.verification(SHOWN_MAX), deleteOrphans);
    }

    private static StoreReport verify(StoreVerification verification, boolean deleteOrphans) throws Exception {
        return verification.verify(deleteOrphans).toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    @Test
    void agreementIsCleanAndCountedFromOneListing() throws Exception {
        world.flushed(stream, 100);
        world.flushed(stream, 200);
        world.prepared();
        StoreReport report = verify();
        assertThat(report.clean()).isTrue();
        assertThat(report.published()).isEqualTo(new Amount(2, 300));
        assertThat(report.listed()).isEqualTo(new Amount(2, 300));
        assertThat(report.pending()).as("nothing is uploaded for it yet").isZero();
        assertThat(world.store.listings).isEqualTo(1);
    }

    @Test
    void anEmptyBucketOfAnEmptyClusterIsClean() throws Exception {
        StoreReport report = verify();
        assertThat(report.clean()).isTrue();
        assertThat(report.listed()).isEqualTo(new Amount(0, 0));
    }

    @Test
    void aPublishedObjectThatIsGoneIsMissing() throws Exception {
        world.flushed(stream, 100);
        long gone = world.flushed(stream, 200);
        world.store.remove(gone);
        StoreReport report = verify();
        assertThat(report.clean()).isFalse();
        assertThat(report.missing().total()).isEqualTo(1);
        assertThat(report.missing().first()).containsExactly(new Stored(ObjectKeys.key(gone), 200));
        assertThat(report.orphans().total()).isZero();
    }

    @Test
    void aPublishedObjectOfOtherLengthIsOfWrongSize() throws Exception {
        long cut = world.flushed(stream, 100);
        world.flushed(stream, 200);
        world.store.put(cut, 99);
        StoreReport report = verify();
        assertThat(report.clean()).isFalse();
        assertThat(report.wrongSize().first()).containsExactly(new WrongSize(ObjectKeys.key(cut), 100, 99));
        assertThat(report.missing().total()).isZero();
    }

    @Test
    void anObjectThatWasForgottenIsAnOrphanAndStays() throws Exception {
        world.flushed(stream, 100);
        String orphan = world.orphan(70);
        StoreReport report = verify();
        assertThat(report.clean()).isFalse();
        assertThat(report.orphans()).isEqualTo(new Findings<>(1, List.of(new Stored(orphan, 70))));
        assertThat(report.unissuedOrphans()).isZero();
        assertThat(report.deletedOrphans()).isZero();
        assertThat(world.store.keys()).contains(orphan);
    }

    @Test
    void orphansAreDeletedOnRequestAndNothingElseIs() throws Exception {
        String orphan = world.orphan(70);
        long published = world.flushed(stream, 100);
        long pending = world.prepared();
        world.store.put(pending, 10);
        world.store.put("objects/foreign", 1);
        StoreReport report = verify(true);
        assertThat(report.orphans().total()).isEqualTo(1);
        assertThat(report.deletedOrphans()).isEqualTo(1);
        assertThat(report.clean()).isTrue();
        assertThat(world.store.deletedKeys).containsExactly(orphan);
        assertThat(world.store.keys())
                .containsExactlyInAnyOrder(ObjectKeys.key(published), ObjectKeys.key(pending), "objects/foreign");
        assertThat(verify().orphans().total()).isZero();
    }

    @Test
    void anIdThatWasNeverGivenOutIsAnOrphanThatIsNotDeleted() throws Exception {
        String orphan = world.orphan(70);
        long next = world.control.image().nextObjectId();
        world.store.put(next, 30);
        world.store.put(next + 1_000_000, 30);
        StoreReport report = verify(true);
        assertThat(report.orphans().total()).isEqualTo(3);
        assertThat(report.unissuedOrphans()).isEqualTo(2);
        assertThat(report.deletedOrphans()).isEqualTo(1);
        assertThat(report.clean()).isFalse();
        assertThat(world.store.deletedKeys).containsExactly(orphan);
    }

    @Test
    void anUploadUnderWayIsPendingAndNoOrphan() throws Exception {
        String orphan = world.orphan(70);
        long early = world.prepared();
        world.store.put(early, 10);
        long[] late = {0};
        world.store.beforeListing(2, () -> {
            late[0] = world.prepared();
            world.store.put(late[0], 20);
        });
        StoreReport report = verify(true);
        assertThat(world.store.listings).isEqualTo(2);
        assertThat(report.pending()).isEqualTo(1);
        assertThat(report.orphans().first()).extracting(Stored::key).containsExactly(orphan);
        assertThat(world.store.keys()).contains(ObjectKeys.key(early), ObjectKeys.key(late[0]));
    }

    @Test
    void anObjectPublishedAfterTheFirstImageIsNoOrphanAndNotMissing() throws Exception {
        long[] published = {0};
        world.store.beforeListing(1, () -> published[0] = world.flushed(stream, 100));
        StoreReport report = verify(true);
        assertThat(report.listed()).isEqualTo(new Amount(1, 100));
        assertThat(report.clean()).isTrue();
        assertThat(report.orphans().total()).isZero();
        assertThat(world.store.keys()).containsExactly(ObjectKeys.key(published[0]));
    }

    @Test
    void anObjectPublishedAfterTheListingIsNotMissing() throws Exception {
        long early = world.prepared();
        StoreVerification verification = afterTheListing(() -> {
            world.store.put(early, 100);
            world.publish(early, stream, 100);
        });
        StoreReport report = verify(verification, false);
        assertThat(report.published()).isEqualTo(new Amount(1, 100));
        assertThat(report.listed()).isEqualTo(new Amount(0, 0));
        assertThat(report.clean()).isTrue();
    }

    @Test
    void anObjectThatIsDoomedAndReapedDuringTheListingIsNotMissing() throws Exception {
        long other = world.topic("other");
        long reaped = world.flushed(other, 100);
        world.store.beforeListing(1, () -> {
            world.deleteTopic("other");
            world.reap(reaped);
        });
        StoreReport report = verify();
        assertThat(report.missing().total()).isZero();
        assertThat(report.clean()).isTrue();
    }

    /** The barrier's second call is the one after the listing. */
    private StoreVerification afterTheListing(Runnable step) {
        int[] barriers = {0};
        return new StoreVerification(
                world.control::image,
                () -> {
                    if (++barriers[0] == 2) {
                        step.run();
                    }
                    return world.control.barrier();
                },
                world.store,
                Runnable::run,
                0,
                SHOWN_MAX);
    }

    @Test
    void aDoomedObjectThatIsReapedAfterTheListingIsNoOrphan() throws Exception {
        long other = world.topic("other");
        long doomed = world.flushed(other, 100);
        world.deleteTopic("other");
        StoreReport report = verify(afterTheListing(() -> world.reap(doomed)), true);
        assertThat(report.listed()).isEqualTo(new Amount(1, 100));
        assertThat(report.orphans().total()).isZero();
        assertThat(report.clean()).isTrue();
        assertThat(world.store.deletedKeys).isEmpty();
    }

    @Test
    void anObjectWhoseIdTheFirstImageHadIsNoOrphanYet() throws Exception {
        long other = world.topic("other");
        long doomed = world.flushed(other, 100);
        world.deleteTopic("other");
        StoreReport report = verify(afterTheListing(() -> world.forget(doomed)), true);
        assertThat(report.orphans().total()).isZero();
        assertThat(world.store.deletedKeys).isEmpty();
        assertThat(verify().orphans().total())
                .as("both images are without it now")
                .isEqualTo(1);
    }

    @Test
    void anObjectThatIsGoneInTheSecondListingIsNoOrphan() throws Exception {
        String orphan = world.orphan(70);
        long endedTooLate = world.prepared();
        world.store.put(endedTooLate, 10);
        world.publish(endedTooLate, world.topic("other"), 10);
        world.deleteTopic("other");
        world.forget(endedTooLate);
        world.store.beforeListing(2, () -> world.store.remove(endedTooLate));
        StoreReport report = verify(true);
        assertThat(report.orphans().first()).extracting(Stored::key).containsExactly(orphan);
        assertThat(world.store.deletedKeys).containsExactly(orphan);
    }

    @Test
    void aDoomedObjectIsCountedAndClean() throws Exception {
        long other = world.topic("other");
        world.flushed(other, 100);
        world.deleteTopic("other");
        StoreReport report = verify();
        assertThat(report.doomed()).isEqualTo(1);
        assertThat(report.published()).isEqualTo(new Amount(0, 0));
        assertThat(report.clean()).isTrue();
    }

    @Test
    void keysThatAreNoneOfOursAreForeignAndOthersPrefixesAreNotLookedAt() throws Exception {
        long published = world.flushed(stream, 100);
        String own = ObjectKeys.key(published);
        String wrongHash = "objects/" + (own.startsWith("objects/00") ? "01" : "00") + own.substring(10);
        world.store.put(wrongHash, 5);
        world.store.put("objects/readme", 6);
        world.store.put("elsewhere/1", 7);
        StoreReport report = verify(true);
        assertThat(report.foreign().first())
                .containsExactlyInAnyOrder(new Stored(wrongHash, 5), new Stored("objects/readme", 6));
        assertThat(report.listed()).isEqualTo(new Amount(3, 111));
        assertThat(report.clean()).isTrue();
        assertThat(world.store.deletedKeys).isEmpty();
    }

    @Test
    void rangesAndCheckpointsThatPointToNoPublishedObjectDangle() throws Exception {
        world.store.put(5, (int) bytes(3));
        world.store.put(6, 40);
        CatalogImage good = CatalogImage.empty()
                .withStream(1)
                .published(1, 5, List.of(TestBatches.batch(0, 3, 10)))
                .checkpoint(1, 6, 3, 40);
        assertThat(verify(over(good), false).clean()).isTrue();
        StoreReport report = verify(over(good.withoutObject(5).withoutObject(6)), false);
        assertThat(report.clean()).isFalse();
        assertThat(report.dangling())
                .isEqualTo(new Findings<>(
                        2,
                        List.of(
                                new Dangling("topic-1", 0, Dangling.Kind.RANGE, 0, 5),
                                new Dangling("topic-1", 0, Dangling.Kind.CHECKPOINT, 3, 6))));
    }

    private static long bytes(int records) {
        return TestBatches.batch(0, records, 10).length;
    }

    private StoreVerification over(ClusterImage image) {
        return new StoreVerification(
                () -> image, () -> CompletableFuture.completedFuture(null), world.store, Runnable::run, 0, SHOWN_MAX);
    }

    @Test
    void objectsThatOnlyAManifestKnowsAreCountedAndNoOrphans() throws Exception {
        long first = world.alone(stream, 100);
        world.alone(stream, 200);
        world.alone(stream, 300);
        world.manifest(stream, 2);
        StoreReport report = verify(true);
        assertThat(report.clean()).as("%s", report).isTrue();
        assertThat(report.published().objects()).isEqualTo(4);
        assertThat(report.deletedOrphans()).isZero();

        world.store.remove(first);
        assertThat(verify().missing().first()).extracting(Stored::key).containsExactly(ObjectKeys.key(first));
        world.store.put(first, 99);
        assertThat(verify().wrongSize().first()).containsExactly(new WrongSize(ObjectKeys.key(first), 100, 99));
    }

    @Test
    void theSameHoldsForAManifestOfNobody() throws Exception {
        world.alone(stream, 100);
        world.alone(stream, 200);
        long manifest = world.manifest(stream, 1);
        world.trim(stream, 10);
        assertThat(world.control.image().retiredManifests()).hasSize(1);
        StoreReport report = verify(true);
        assertThat(report.clean()).as("%s", report).isTrue();
        assertThat(report.deletedOrphans()).isZero();
        assertThat(report.published().objects()).isEqualTo(3);
        assertThat(manifest).isPositive();
    }

    @Test
    void anObjectThatMovesToAManifestDuringTheListingIsNoOrphanAndNotMissing() throws Exception {
        world.alone(stream, 100);
        world.alone(stream, 200);
        world.store.beforeListing(1, () -> world.manifest(stream, 1));
        StoreReport report = verify(true);
        assertThat(report.clean()).as("%s", report).isTrue();
    }

    /** What it lists would be taken for orphans. */
    @Test
    void aManifestThatCannotBeReadFailsTheVerificationAndNothingIsDeleted() throws Exception {
        long first = world.alone(stream, 100);
        world.alone(stream, 200);
        long manifest = world.manifest(stream, 1);
        world.store.put(manifest, 96);
        assertThatThrownBy(() -> verify(true)).hasCauseInstanceOf(ObjectStoreException.class);
        world.store.remove(manifest);
        assertThatThrownBy(() -> verify(true)).hasCauseInstanceOf(ObjectStoreException.class);
        assertThat(world.store.keys()).contains(ObjectKeys.key(first));
    }

    @Test
    void allAreCountedButOnlySomeAreShown() throws Exception {
        for (int i = 0; i < 5; i++) {
            world.store.remove(world.flushed(stream, 100));
        }
        StoreReport report = verify(world.verification(3), false);
        assertThat(report.missing().total()).isEqualTo(5);
        assertThat(report.missing().first()).hasSize(3);
    }

    @Test
    void moreOrphansThanAreShownAreAllDeletedInBatches() throws Exception {
        long other = world.topic("other");
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < 501; i++) {
            ids.add(world.prepared());
        }
        for (long id : ids) {
            world.store.put(id, 1);
            world.publish(id, other, 1);
        }
        world.deleteTopic("other");
        ids.forEach(world::forget);
        StoreReport report = verify(world.verification(3), true);
        assertThat(report.orphans().total()).isEqualTo(501);
        assertThat(report.deletedOrphans()).isEqualTo(501);
        assertThat(world.store.keys()).isEmpty();
    }

    @Test
    void imagesAreTakenBehindBarriers() throws Exception {
        long published = world.flushed(stream, 100);
        ClusterImage stale = CatalogImage.empty();
        boolean[] passed = {false};
        StoreVerification verification = new StoreVerification(
                () -> passed[0] ? world.control.image() : stale,
                () -> {
                    passed[0] = true;
                    return world.control.barrier();
                },
                world.store,
                Runnable::run,
                0,
                SHOWN_MAX);
        world.store.remove(published);
        assertThat(verify(verification, false).missing().total()).isEqualTo(1);
    }

    @Test
    void aStoreThatCannotBeListedFailsTheVerification() {
        world.store.failure = new ObjectStoreException(ObjectStoreException.Reason.TRANSIENT, "injected", null);
        assertThatThrownBy(this::verify).cause().isSameAs(world.store.failure);
    }

    @Test
    void aStoreThatCannotBeListedAgainFailsItToo() {
        String orphan = world.orphan(70);
        ObjectStoreException injected =
                new ObjectStoreException(ObjectStoreException.Reason.TRANSIENT, "injected", null);
        world.store.beforeListing(2, () -> world.store.failure = injected);
        assertThatThrownBy(() -> verify(true)).cause().isSameAs(injected);
        assertThat(world.store.keys()).contains(orphan);
    }

    @Test
    void withoutControllersThereIsNoAnswer() {
        CommandException away = new CommandException(CommandException.Reason.UNAVAILABLE, "injected");
        StoreVerification verification = new StoreVerification(
                world.control::image,
                () -> CompletableFuture.failedFuture(away),
                world.store,
                Runnable::run,
                0,
                SHOWN_MAX);
        assertThatThrownBy(() -> verify(verification, false)).cause().isSameAs(away);
        assertThat(world.store.listings).isZero();
    }

    @Test
    void theCatalogOfTheseTestsIsTheRealOne() {
        long id = world.flushed(stream, 100);
        assertThat(world.control.image().object(id))
                .hasValueSatisfying(object -> assertThat(object.phase()).isEqualTo(ObjectState.Phase.PUBLISHED));
    }
}
