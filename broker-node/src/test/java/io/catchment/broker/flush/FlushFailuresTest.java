package io.catchment.broker.flush;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.flush.FlushMetrics.Stage;
import io.catchment.broker.testing.RuledControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ObjectState;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.wal.Lane;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each step of a flush fails, or is the last one before a crash; the store and the control plane go away and come back. */
class FlushFailuresTest {
    private final FlushWorld world = new FlushWorld();
    private final List<Long> streams = world.topic("t", 4);

    @AfterEach
    void theInvariantsHoldAndNothingLeaksInTheEnd() {
        world.invariants.hold();
        passTimeLimits();
        assertThat(world.wal.bytesInMemory()).as("loaded extents are released").isZero();
        assertThat(world.store.bodies()).isZero();
        world.invariants.hold();
        world.invariants.nothingLeaked();
    }

    private void passTimeLimits() {
        for (int i = 0; i < 3; i++) {
            world.time.pass(world.settings.objectTtlMs() / 2 + 1);
            world.control.upkeep();
        }
        world.time.pass(world.settings.reapGraceMs() + 5_000);
    }

    private long sealed() {
        return world.sealed(Lane.NORMAL, 100, streams.get(0), streams.get(1));
    }

    // ---- one step fails

    @Test
    void anUploadThatFailsIsTriedAgainUnderTheSameId() {
        int[] puts = {0};
        world.store.puts(() -> puts[0]++ < 3 ? FaultyStore.Fate.FAILED : FaultyStore.Fate.DONE);
        long extent = sealed();
        world.start();
        world.time.passUntil(() -> world.flushed(extent), 10_000);
        assertThat(world.store.putKeys).hasSize(4);
        assertThat(new HashSet<>(world.store.putKeys)).hasSize(1);
        assertThat(world.control.submitted(Command.PrepareObjects.class)).hasSize(1);
        assertThat(world.metrics.failures(Stage.UPLOAD)).isEqualTo(3);
    }

    /** O1: the first attempt lands after the second was published. Both must be the same bytes, whatever was deleted in between. */
    @Test
    void aLateFirstAttemptDoesNotChangeThePublishedObject() {
        int[] puts = {0};
        world.store.puts(() -> puts[0]++ == 0 ? FaultyStore.Fate.LATE : FaultyStore.Fate.DONE);
        world.store.lateMs(20_000);
        List<Long> doomed = world.topic("doomed", 1);
        long extent = world.sealed(Lane.NORMAL, 100, doomed.get(0), streams.get(0));
        world.start();
        world.deleteTopic("doomed");
        world.time.passUntil(() -> world.flushed(extent), 10_000);
        byte[] published = world.store.objects.firstEntry().getValue();
        world.invariants.hold();

        world.time.pass(20_000);
        assertThat(world.store.objects.firstEntry().getValue()).isNotSameAs(published);
        assertThat(Arrays.equals(world.store.objects.firstEntry().getValue(), published))
                .as("O1")
                .isTrue();
    }

    @Test
    void anExtentThatTheStoreAlwaysRefusesRestsWhileOthersGoOn() {
        long refused = world.sealed(Lane.URGENT, 100, streams.get(0));
        world.store.putsByKey(
                key -> key.equals(world.store.putKeys.get(0)) ? FaultyStore.Fate.FAILED : FaultyStore.Fate.DONE);
        world.start();
        List<Long> others = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            others.add(world.sealed(Lane.NORMAL, 100, streams.get(3)));
        }
        world.time.passUntil(() -> others.stream().allMatch(world::flushed), 20_000);
        for (int i = 0; i < 60; i++) {
            long next = world.sealed(Lane.NORMAL, 100, streams.get(3));
            world.time.passUntil(() -> world.flushed(next), 5_000);
            world.time.pass(5_000);
        }
        assertThat(world.flushed(refused)).isFalse();
        assertThat(world.flusher.stats().stuckExtents()).isEqualTo(1);
        assertThat(Collections.frequency(world.store.putKeys, world.store.putKeys.get(0)))
                .as("tried again with pauses")
                .isBetween(6, 40);

        world.store.puts(() -> FaultyStore.Fate.DONE);
        world.time.passUntil(world::allFlushed, 61_000);
        assertThat(world.flusher.stats().stuckExtents()).isZero();
    }

    @Test
    void thoseThatWaitForABrokenExtentTakeNoPlacesFromOthers() {
        long broken = sealed();
        for (int i = 0; i < 2 * FlushWorld.SETTINGS.uploadedMax(); i++) {
            sealed();
        }
        world.wal.loadFault(extent -> extent == broken ? new IOException("injected EIO") : null);
        world.start();
        world.time.pass(60_000);
        List<Long> others = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            others.add(world.sealed(Lane.BULK, 100, streams.get(3)));
        }
        world.time.passUntil(() -> others.stream().allMatch(world::flushed), 1_000);

        world.wal.loadFault(extent -> null);
        world.time.passUntil(world::allFlushed, 61_000);
    }

    @Test
    void anExtentThatCannotBeLoadedDoesNotKeepOthersWaiting() {
        long broken = sealed();
        long dependent = sealed();
        long other = world.sealed(Lane.NORMAL, 100, streams.get(3));
        world.wal.loadFault(extent -> extent == broken ? new IOException("injected EIO") : null);
        world.start();
        world.time.pass(120_000);
        assertThat(world.flushed(other)).isTrue();
        assertThat(world.flushed(broken)).isFalse();
        assertThat(world.flushed(dependent))
                .as("O2: its streams' earlier offsets come first")
                .isFalse();
        assertThat(world.metrics.failures(Stage.LOAD)).isBetween(3, 15);

        world.wal.loadFault(extent -> null);
        world.time.passUntil(world::allFlushed, 61_000);
        assertThat(world.control.submitted(Command.PrepareObjects.class))
                .as("the id taken for the first attempt is used")
                .hasSize(3);
    }

    @ParameterizedTest
    @EnumSource(
            value = RuledControlPlane.Fate.class,
            names = {"UNAVAILABLE", "UNCERTAIN_DONE", "UNCERTAIN_LOST"})
    void anIdThatCouldNotBeTakenIsAskedForAgain(RuledControlPlane.Fate fate) {
        int[] prepares = {0};
        world.control.fate(command ->
                command instanceof Command.PrepareObjects && prepares[0]++ < 3 ? fate : RuledControlPlane.Fate.DONE);
        long extent = sealed();
        world.start();
        world.time.passUntil(() -> world.flushed(extent), 10_000);
        assertThat(world.store.putKeys).hasSize(1);
        assertThat(world.metrics.failures(Stage.PREPARE)).isEqualTo(3);
    }

    @ParameterizedTest
    @EnumSource(
            value = RuledControlPlane.Fate.class,
            names = {"UNAVAILABLE", "UNCERTAIN_DONE", "UNCERTAIN_LOST"})
    void aPublishOfUnknownFateIsSentAgainWithoutAnotherUpload(RuledControlPlane.Fate fate) {
        int[] publishes = {0};
        world.control.fate(command ->
                command instanceof Command.PublishFlush && publishes[0]++ < 2 ? fate : RuledControlPlane.Fate.DONE);
        long extent = sealed();
        world.start();
        world.time.passUntil(() -> world.metrics.published == 1, 10_000);
        assertThat(world.flushed(extent)).isTrue();
        assertThat(world.store.putKeys).hasSize(1);
        assertThat(world.control.image().stream(streams.get(0)).orElseThrow().catalog())
                .hasSize(1);
    }

    @Test
    void aPublishThatWasDoneAndTheExtentAlreadyReleasedIsDone() {
        int[] publishes = {0};
        world.control.fate(command -> command instanceof Command.PublishFlush && publishes[0]++ < 3
                ? RuledControlPlane.Fate.UNCERTAIN_DONE
                : RuledControlPlane.Fate.DONE);
        world.settings = world.settings.withHotBytes(0);
        world.crash();
        long extent = sealed();
        world.time.passUntil(() -> world.metrics.published == 1, 30_000);
        assertThat(world.control.image().extent(extent)).isEmpty();
        assertThat(world.wal.extents()).isEmpty();
    }

    @Test
    void anObjectWhoseTimeIsOverIsUploadedAgainUnderANewId() {
        world.control.fate(command -> command instanceof Command.PublishFlush
                ? RuledControlPlane.Fate.UNAVAILABLE
                : RuledControlPlane.Fate.DONE);
        long extent = sealed();
        world.start();
        world.time.pass(world.settings.objectTtlMs());
        world.control.upkeep();
        world.control.fate(command -> RuledControlPlane.Fate.DONE);
        world.time.passUntil(() -> world.flushed(extent), 30_000);
        assertThat(new HashSet<>(world.store.putKeys)).hasSize(2);
        world.time.pass(world.settings.reapGraceMs() + 2_000);
        assertThat(world.store.objects).hasSize(1);
    }

    /** O3: the reaper was there before the upload ended, so nobody else would ever delete it. */
    @Test
    void anObjectUploadedAfterItWasDeletedAsDoomedIsDeletedByItsUploader() {
        world.store.puts(() -> FaultyStore.Fate.HELD);
        long extent = sealed();
        world.start();
        String late = world.store.putKeys.get(0);
        world.time.pass(world.settings.objectTtlMs());
        world.control.upkeep();
        world.time.pass(world.settings.reapGraceMs() + 2_000);
        assertThat(world.control.image().objects())
                .as("doomed, deleted, forgotten")
                .isEmpty();

        world.store.puts(() -> FaultyStore.Fate.DONE);
        world.store.release();
        assertThat(world.store.objects).containsOnlyKeys(late);
        world.time.passUntil(() -> world.flushed(extent), 10_000);
        world.time.pass(2_000);
        assertThat(world.store.deletedKeys).contains(late);
        assertThat(world.store.objects).hasSize(1).doesNotContainKey(late);
    }

    /** O3 on an idle cluster: nothing else changes there that would bring the snapshots such an object waits for. */
    @Test
    void whatWasUploadedTooLateAsksForTheSnapshotsItWaitsFor() {
        world.store.puts(() -> FaultyStore.Fate.HELD);
        long extent = sealed();
        world.start();
        String late = world.store.putKeys.get(0);
        world.time.pass(world.settings.objectTtlMs());
        world.control.upkeep();
        world.time.pass(world.settings.reapGraceMs() + 2_000);
        world.horizon = world.control.image().offset() - 1;
        world.store.puts(() -> FaultyStore.Fate.DONE);
        world.store.release();
        world.time.passUntil(() -> world.flushed(extent), 10_000);

        int[] barriers = new int[1];
        int wanted = 3;
        world.control.beforeBarrier(() -> {
            if (++barriers[0] == wanted) {
                world.horizon = Long.MAX_VALUE;
            }
        });
        world.time.pass(15_000);
        assertThat(world.store.objects).as("a snapshot may refer to it").containsKey(late);
        world.time.pass(20_000);
        assertThat(world.store.objects).hasSize(1).doesNotContainKey(late);
        world.time.pass(60_000);
        assertThat(barriers[0]).as("nothing waits any more").isEqualTo(wanted);
    }

    /** A controller whose clock jumps dooms what was prepared a moment ago: that costs an upload, nothing else. */
    @Test
    void aClockThatJumpsForwardCostsAnUploadOnly() {
        world.store.puts(() -> FaultyStore.Fate.HELD);
        long extent = sealed();
        world.start();
        world.time.jumpWallClock(TimeUnit.DAYS.toMillis(1));
        world.control.upkeep();
        world.store.puts(() -> FaultyStore.Fate.DONE);
        world.store.release();
        world.time.passUntil(() -> world.flushed(extent), 10_000);
    }

    /** O2: some of these offsets were published by somebody else meanwhile. That is refused; what is missing is published then. */
    @Test
    void aRefusedPublishIsMadeAnewFromWhatIsMissing() {
        world.control.fate(command ->
                command instanceof Command.PublishFlush ? RuledControlPlane.Fate.HELD : RuledControlPlane.Fate.DONE);
        long extent = sealed();
        world.start();
        Command.PublishFlush held =
                world.control.submitted(Command.PublishFlush.class).get(0);
        long copy = world.control
                .now(new Command.PrepareObjects(FlushWorld.NODE, world.nodeEpoch, 1, 100_000))
                .get(0);
        world.store.objects.put(
                ObjectKeys.key(copy),
                world.store.objects.get(ObjectKeys.key(held.objectId())).clone());
        long empty = world.openExtent(Lane.NORMAL);
        world.recordSeal(empty, world.nodeEpoch);
        world.control.now(new Command.PublishFlush(
                FlushWorld.NODE,
                world.nodeEpoch,
                empty,
                copy,
                held.objectBytes(),
                held.ranges().subList(0, 1),
                List.of()));
        world.control.fate(command -> RuledControlPlane.Fate.DONE);
        world.control.release();
        world.time.settle();
        assertThat(world.flushed(extent)).isFalse();
        assertThat(world.metrics.failures(Stage.PUBLISH)).isEqualTo(1);
        long other = world.sealed(Lane.NORMAL, 100, streams.get(3));
        world.time.settle();
        assertThat(world.flushed(other)).isTrue();
        world.time.passUntil(() -> world.flushed(extent), 1_000);
        assertThat(world.control.image().stream(streams.get(1)).orElseThrow().catalogEndOffset())
                .isEqualTo(3);
    }

    @Test
    void aFlushOfAnEpochThatIsOverStops() {
        world.start();
        var all = world.flusher.flushAll(1_000_000).toCompletableFuture();
        world.time.settle();
        assertThat(all).isCompletedWithValue(true);
        world.store.puts(() -> FaultyStore.Fate.HELD);
        long extent = sealed();
        world.time.settle();
        var waiting = world.flusher.flushAll(1_000_000).toCompletableFuture();
        world.time.settle();
        world.control.now(new Command.UnregisterNode(FlushWorld.NODE, world.nodeEpoch));
        world.store.release();
        world.time.pass(60_000);
        assertThat(world.flusher.stats().stopped()).contains("epoch " + world.nodeEpoch);
        assertThat(waiting).isCompletedWithValue(false);
        assertThat(world.flushed(extent)).isFalse();
        assertThat(world.store.putKeys).hasSize(1);

        world.store.puts(() -> FaultyStore.Fate.DONE);
        world.crash();
        world.time.passUntil(() -> world.flushed(extent), 1_000);
    }

    // ---- crashes

    enum CrashPoint {
        AFTER_PREPARE,
        DURING_UPLOAD,
        AFTER_UPLOAD,
        PUBLISH_UNDER_WAY,
        PUBLISH_LOST,
        AFTER_PUBLISH,
        AFTER_DELETE
    }

    @ParameterizedTest
    @EnumSource(CrashPoint.class)
    void aCrashAtAnyStepLosesNothingAndLeavesNothing(CrashPoint point) {
        world.settings = world.settings.withHotBytes(0);
        world.crash();
        switch (point) {
            case AFTER_PREPARE -> world.wal.loadMs(1_000);
            case DURING_UPLOAD -> world.store.delayMs(1_000);
            case AFTER_UPLOAD -> hold(Command.PublishFlush.class);
            case PUBLISH_UNDER_WAY -> world.control.delayMs(1_000);
            case PUBLISH_LOST ->
                world.control.fate(command -> command instanceof Command.PublishFlush
                        ? RuledControlPlane.Fate.UNCERTAIN_LOST
                        : RuledControlPlane.Fate.DONE);
            case AFTER_PUBLISH -> world.wal.deleteFault(extent -> new IOException("injected"));
            case AFTER_DELETE -> hold(Command.ReleaseExtent.class);
        }
        sealed();
        sealed();
        world.time.pass(point == CrashPoint.PUBLISH_UNDER_WAY ? 1_500 : 500);
        assertThat(world.metrics.published).isEqualTo(point.compareTo(CrashPoint.AFTER_PUBLISH) < 0 ? 0 : 2);
        heal();
        world.crash();
        world.invariants.hold();
        world.time.passUntil(() -> world.control.image().extents().isEmpty(), 30_000);
        assertThat(world.wal.extents()).isEmpty();
        assertThat(world.control.image().stream(streams.get(0)).orElseThrow().catalogEndOffset())
                .isEqualTo(6);
    }

    private void hold(Class<?> kind) {
        world.control.fate(
                command -> kind.isInstance(command) ? RuledControlPlane.Fate.HELD : RuledControlPlane.Fate.DONE);
    }

    private void heal() {
        world.control.fate(command -> RuledControlPlane.Fate.DONE);
        world.control.delayMs(0);
        world.store.down(false);
        world.store.delayMs(0);
        world.wal.loadMs(0);
        world.wal.deleteFault(extent -> null);
        world.wal.loadFault(extent -> null);
    }

    @Test
    void aCrashAfterAPartIsFollowedByWhatIsMissing() {
        long one = world.openExtent(Lane.NORMAL);
        long other = world.openExtent(Lane.BULK);
        world.append(one, streams.get(0), 3, 100);
        world.append(other, streams.get(1), 3, 100);
        world.append(one, streams.get(1), 2, 100);
        world.append(other, streams.get(0), 2, 100);
        world.seal(one);
        world.seal(other);
        world.control.fate(command -> command instanceof Command.PublishFlush publish && !publish.partial()
                ? RuledControlPlane.Fate.UNAVAILABLE
                : RuledControlPlane.Fate.DONE);
        world.start();
        world.time.pass(5_000);
        assertThat(world.allFlushed()).isFalse();
        assertThat(world.control.image().stream(streams.get(0)).orElseThrow().catalogEndOffset())
                .isPositive();
        heal();
        world.crash();
        world.time.passUntil(world::allFlushed, 5_000);
    }

    // ---- long outages

    @Test
    void anHourWithoutTheStoreIsNoStormAndTheFlushCatchesUpByItself() {
        world.start();
        world.store.down(true);
        world.store.putsAtNanos.clear();
        List<Long> extents = new ArrayList<>();
        for (int minute = 0; minute < 60; minute++) {
            for (int i = 0; i < 5; i++) {
                extents.add(world.sealed(Lane.of(i % 3), 30_000, streams.get(i % 4)));
                world.time.pass(12_000);
            }
            world.control.upkeep();
        }
        List<Long> attempts = world.store.putsAtNanos;
        assertThat(attempts.size()).as("one every 7.5 to 15 s").isBetween(240, 500);
        List<Long> pausesMs = new ArrayList<>();
        for (int i = 20; i < attempts.size(); i++) {
            pausesMs.add(TimeUnit.NANOSECONDS.toMillis(attempts.get(i) - attempts.get(i - 1)));
        }
        assertThat(pausesMs).allMatch(ms -> ms >= world.settings.backoffMaxMs() / 2);
        assertThat(pausesMs).allMatch(ms -> ms <= world.settings.backoffMaxMs() + 1);
        assertThat(new HashSet<>(pausesMs)).as("jitter").hasSizeGreaterThan(100);
        assertThat(world.wal.loadsInMemoryMax())
                .as("extents in memory at a time")
                .isLessThanOrEqualTo(2);
        assertThat(world.wal.bytesInMemory())
                .as("nothing is kept between attempts")
                .isZero();
        assertThat(world.control.submitted(Command.PrepareObjects.class).size())
                .as("ids are used again for half of their time")
                .isLessThan(20);
        assertThat(world.flusher.stats().unflushedExtents()).isEqualTo(300);
        assertThat(extents).noneMatch(world::flushed);

        world.store.down(false);
        world.store.delayMs(20);
        long tookMs = world.time.passUntil(world::allFlushed, 60_000);
        assertThat(tookMs).as("the longest pause, then two at a time").isLessThan(15_000 + 300 * 20);
        assertThat(world.wal.bytesInMemoryMax()).isLessThanOrEqualTo(world.settings.memoryBytes());
        world.time.pass(10_000);
        assertThat(world.flusher.stats().hotBytes()).isLessThanOrEqualTo(world.settings.hotBytes());
        assertThat(world.flusher.stats().storeFailures()).isZero();
    }

    /** No upload is left that could show that the store is back; merges and manifests wait for that. */
    @Test
    void aStoreThatRefusedWhatNobodyWantsAnyMoreIsNotTakenToBeAwayForEver() {
        world.start();
        world.store.puts(() -> FaultyStore.Fate.FAILED);
        long extent = sealed();
        world.time.pass(5_000);
        assertThat(world.flusher.stats().storeFailures()).isPositive();
        world.deleteTopic("t");
        world.store.puts(() -> FaultyStore.Fate.DONE);
        world.time.passUntil(() -> world.flushed(extent), 16_000);
        world.time.passUntil(() -> world.flusher.stats().storeFailures() == 0, 16_000);
        assertThat(world.store.objects).isEmpty();
    }

    @Test
    void controllersThatAreAwayAreNotStormedAndUploadsStayBounded() {
        world.start();
        world.control.fate(command -> command instanceof Command.PublishFlush
                ? RuledControlPlane.Fate.UNAVAILABLE
                : RuledControlPlane.Fate.DONE);
        for (int i = 0; i < 30; i++) {
            sealed();
        }
        world.time.pass(600_000);
        assertThat(world.store.putKeys).as("uploaded ones that may wait").hasSize(world.settings.uploadedMax());
        int publishes = world.control.submitted(Command.PublishFlush.class).size();
        assertThat(publishes).isBetween(40, 110);
        List<Long> times = world.control.submittedAtNanos(Command.PublishFlush.class);
        for (int i = 20; i < times.size(); i++) {
            assertThat(TimeUnit.NANOSECONDS.toMillis(times.get(i) - times.get(i - 1)))
                    .isGreaterThanOrEqualTo(world.settings.backoffMaxMs() / 2);
        }
        world.control.fate(command -> RuledControlPlane.Fate.DONE);
        world.time.passUntil(world::allFlushed, 16_000);
        assertThat(world.control.image().objects()).allMatch(object -> object.phase() == ObjectState.Phase.PUBLISHED);
    }

    @Test
    void aStoreThatFailsNowAndThenIsUsedAllTheTime() {
        world.start();
        int[] puts = {0};
        world.store.puts(() -> puts[0]++ % 3 == 0 ? FaultyStore.Fate.FAILED : FaultyStore.Fate.DONE);
        world.store.delayMs(10);
        for (int i = 0; i < 50; i++) {
            sealed();
        }
        world.time.passUntil(world::allFlushed, 30_000);
    }
}
