package io.catchment.broker.flush;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.flush.FlushMetrics.Stage;
import io.catchment.broker.testing.RuledControlPlane;
import io.catchment.broker.testing.TestProcess;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.wal.Lane;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is flushed, in which order, and what the control plane is told. */
class FlusherTest {
    private FlushWorld world = new FlushWorld();
    private List<Long> streams = world.topic("t", 4);

    private void world(FlushSettings settings) {
        world = new FlushWorld(settings, 1);
        streams = world.topic("t", 4);
    }

    @AfterEach
    void theInvariantsHold() {
        world.invariants.hold();
        assertThat(world.wal.bytesInMemory()).as("loaded extents are released").isZero();
    }

    private StreamState stream(int index) {
        return world.control.image().stream(streams.get(index)).orElseThrow();
    }

    @Test
    void aSealedExtentBecomesOneObjectWithRangesAndCheckpoints() {
        long extent = world.sealed(Lane.NORMAL, 100, streams.get(0), streams.get(2));
        world.start();

        assertThat(world.flushed(extent)).isTrue();
        assertThat(world.store.objects).hasSize(1);
        assertThat(stream(0).catalog()).hasSize(1);
        assertThat(stream(2).catalogEndOffset()).isEqualTo(3);
        assertThat(stream(1).catalog()).isEmpty();
        StreamRange range = stream(0).catalog().get(0);
        assertThat(range.maxEventTimeMs()).isEqualTo(2);
        assertThat(range.maxAppendTimeMs()).isEqualTo(world.time.wallClockMs());
        assertThat(stream(0).checkpoint()).isNotNull();
        assertThat(world.control.image().object(range.objectId()).orElseThrow().phase())
                .isEqualTo(ObjectState.Phase.PUBLISHED);
        assertThat(world.metrics.published).isEqualTo(1);
        assertThat(world.flusher.stats().unflushedExtents()).isZero();
    }

    @Test
    void anExtentThatIsLoadedWhenTheFlushEndsIsReleased() {
        world.wal.process(new TestProcess(world.time));
        world.wal.loadMs(100);
        world.sealed(Lane.NORMAL, 100, streams.get(0));
        world.start();
        world.time.pass(50);
        world.flusher.close();
        world.process.close();
        world.time.pass(100);
        assertThat(world.wal.loadsInMemoryMax()).isEqualTo(1);
        assertThat(world.wal.bytesInMemory()).isZero();
    }

    @Test
    void anExtentThatIsSealedLaterIsFlushedAtOnce() {
        world.start();
        long extent = world.sealed(Lane.BULK, 100, streams.get(0));
        world.time.settle();
        assertThat(world.flushed(extent)).isTrue();
    }

    @Test
    void urgentExtentsGoFirstThenTheOldest() {
        world(FlushWorld.SETTINGS.withConcurrency(1));
        long bulk = world.sealed(Lane.BULK, 100, streams.get(0));
        long older = world.sealed(Lane.NORMAL, 100, streams.get(1));
        long newer = world.sealed(Lane.NORMAL, 100, streams.get(2));
        long urgent = world.sealed(Lane.URGENT, 100, streams.get(3));
        world.start();
        assertThat(world.published()).containsExactly(urgent, older, newer, bulk);
    }

    @Test
    void afterAnOutageUrgentExtentsGoFirstAndTheOthersGetTheirLeastShares() {
        world(FlushWorld.SETTINGS.withConcurrency(1));
        world.store.down(true);
        Map<Long, Lane> lanes = new HashMap<>();
        for (int i = 0; i < 60; i++) {
            lanes.put(world.sealed(Lane.BULK, 100, streams.get(0)), Lane.BULK);
            lanes.put(world.sealed(Lane.NORMAL, 100, streams.get(1)), Lane.NORMAL);
            lanes.put(world.sealed(Lane.URGENT, 100, streams.get(2)), Lane.URGENT);
        }
        world.start();
        world.time.pass(60_000);
        assertThat(world.published()).isEmpty();
        world.store.down(false);
        world.time.passUntil(world::allFlushed, 600_000);
        List<Lane> order = world.published().stream().map(lanes::get).toList();
        assertThat(order).hasSize(180);
        assertThat(order.subList(5, 12))
                .as("after those that were tried again and again meanwhile: %s", order)
                .containsOnly(Lane.URGENT);
        int urgentDone = order.lastIndexOf(Lane.URGENT) + 1;
        assertThat(urgentDone).as("15 % and 5 % are others'").isBetween(68, 80);
        assertThat(order.subList(0, urgentDone)).contains(Lane.NORMAL, Lane.BULK);
        assertThat(order.lastIndexOf(Lane.NORMAL)).isLessThan(order.lastIndexOf(Lane.BULK));
    }

    @Test
    void anUrgentExtentThatComesDuringAnOutageGoesBeforeTheBacklog() {
        world.store.down(true);
        for (int i = 0; i < 20; i++) {
            world.sealed(Lane.BULK, 100, streams.get(0));
        }
        world.start();
        world.time.pass(60_000);
        long urgent = world.sealed(Lane.URGENT, 100, streams.get(3));
        world.store.down(false);
        world.time.passUntil(world::allFlushed, 60_000);
        assertThat(world.published().get(0)).isEqualTo(urgent);
    }

    @Test
    void aLargeUrgentExtentIsNotKeptWaitingBySmallOnes() {
        // 1 MiB of memory: the large one has to go alone
        world.store.delayMs(10);
        for (int i = 0; i < 10; i++) {
            world.sealed(Lane.NORMAL, 20_000, streams.get(0));
        }
        world.start();
        long large = world.sealed(Lane.URGENT, 340_000, streams.get(1));
        for (int i = 0; i < 10; i++) {
            world.sealed(Lane.NORMAL, 20_000, streams.get(0));
        }
        world.time.passUntil(world::allFlushed, 10_000);
        assertThat(world.published().indexOf(large))
                .as("at most those under way go before it: %s", world.published())
                .isLessThanOrEqualTo(2);
    }

    @Test
    void extentsInMemoryStayBelowTheBoundAndOneThatIsLargerGoesAlone() {
        world(FlushWorld.SETTINGS.withConcurrency(8));
        world.store.delayMs(100);
        for (int i = 0; i < 12; i++) {
            world.sealed(Lane.NORMAL, 100_000, streams.get(i % 4));
        }
        world.start();
        world.time.passUntil(world::allFlushed, 10_000);
        assertThat(world.wal.bytesInMemoryMax()).isBetween(600_000L, world.settings.memoryBytes());
        assertThat(world.wal.loadsInMemoryMax()).isBetween(2, 3);

        long huge = world.sealed(Lane.NORMAL, 700_000, streams.get(0));
        world.sealed(Lane.NORMAL, 100_000, streams.get(1));
        world.time.passUntil(world::allFlushed, 10_000);
        assertThat(world.flushed(huge)).isTrue();
        assertThat(world.wal.bytesInMemoryMax()).isBetween(2_100_000L, 2_200_000L);
    }

    @Test
    void anExtentWithoutDataIsPublishedWithoutAnObject() {
        long nothing = world.openExtent(Lane.NORMAL);
        world.seal(nothing);
        long onlyNoops = world.openExtent(Lane.URGENT);
        world.noop(onlyNoops);
        world.noop(onlyNoops);
        world.seal(onlyNoops);
        world.start();
        assertThat(world.flushed(nothing)).isTrue();
        assertThat(world.flushed(onlyNoops)).isTrue();
        assertThat(world.store.objects).isEmpty();
        assertThat(world.control.submitted(Command.PrepareObjects.class)).isEmpty();
    }

    @Test
    void anEmptyExtentOfWhichThisDiskHasNothingIsFlushedToo() {
        long nothing = world.openExtent(Lane.NORMAL);
        world.seal(nothing);
        world.wal.lose(nothing);
        world.start();
        assertThat(world.flushed(nothing)).isTrue();
    }

    /** Readers of the WAL see acknowledged frames; the last ones may become visible after the length was recorded. */
    @Test
    void whatThisDiskDoesNotShowYetIsNotTakenForNotWritten() {
        long extent = world.openExtent(Lane.NORMAL);
        world.append(extent, streams.get(0), 3, 100);
        world.wal.hide(extent, world.wal.fileLength(extent));
        world.seal(extent);
        world.start();
        CompletableFuture<Boolean> all = world.flusher.flushAll(10_000).toCompletableFuture();
        world.time.pass(3_000);
        assertThat(world.flushed(extent)).isFalse();
        assertThat(all).isNotDone();

        world.wal.hide(extent, 0);
        world.time.pass(1_500);
        assertThat(world.flushed(extent)).isTrue();
        assertThat(all).isCompletedWithValue(true);
        assertThat(stream(0).catalogEndOffset()).isEqualTo(3);
    }

    @Test
    void anExtentThatIsNotClosedOnTheDiskYetIsTriedAgainSoon() {
        long extent = world.openExtent(Lane.NORMAL);
        world.append(extent, streams.get(0), 3, 100);
        world.start();
        world.recordSeal(extent, world.nodeEpoch);
        world.time.settle();
        assertThat(world.flushed(extent)).isFalse();
        world.wal.settleNow(extent);
        world.time.pass(600);
        assertThat(world.flushed(extent)).isTrue();
    }

    @Test
    void streamsThatAreGoneAreLeftOut() {
        List<Long> doomed = world.topic("doomed", 1);
        long mixed = world.sealed(Lane.NORMAL, 100, streams.get(0), doomed.get(0));
        long alone = world.sealed(Lane.NORMAL, 100, doomed.get(0));
        world.deleteTopic("doomed");
        world.start();
        assertThat(world.flushed(mixed)).isTrue();
        assertThat(world.flushed(alone)).isTrue();
        assertThat(world.store.objects).hasSize(1);
        assertThat(FlushInvariants.footer(world.store.objects.firstEntry().getValue())
                        .rangeCount())
                .isEqualTo(1);
    }

    @Test
    void aStreamDeletedDuringTheUploadLeavesNothingBehind() {
        List<Long> doomed = world.topic("doomed", 1);
        world.store.puts(() -> FaultyStore.Fate.HELD);
        long mixed = world.sealed(Lane.NORMAL, 100, streams.get(0), doomed.get(0));
        long alone = world.sealed(Lane.NORMAL, 100, doomed.get(0));
        world.start();
        assertThat(world.store.heldCount()).isEqualTo(2);
        world.deleteTopic("doomed");
        world.store.release();
        world.time.settle();
        assertThat(world.flushed(mixed)).isTrue();
        assertThat(world.flushed(alone)).isTrue();
        assertThat(world.store.objects).hasSize(2);
        world.time.pass(world.settings.reapGraceMs() + 2_000);
        assertThat(world.store.objects).hasSize(1);
        world.invariants.nothingLeaked();
    }

    @Test
    void extentsUploadedOutOfOrderArePublishedInTheOrderOfTheirStreams() {
        int[] puts = {0};
        world.store.puts(() -> puts[0]++ == 0 ? FaultyStore.Fate.HELD : FaultyStore.Fate.DONE);
        long first = world.sealed(Lane.NORMAL, 100, streams.get(0));
        long second = world.sealed(Lane.NORMAL, 100, streams.get(0));
        long other = world.sealed(Lane.NORMAL, 100, streams.get(1));
        world.start();
        world.time.pass(5_000);
        assertThat(world.flushed(other)).isTrue();
        assertThat(world.flushed(second)).as("its turn has not come").isFalse();

        world.store.release();
        world.time.settle();
        assertThat(world.flushed(first)).isTrue();
        assertThat(world.flushed(second)).isTrue();
        assertThat(stream(0).catalog()).hasSize(2);
        assertThat(world.store.putKeys).as("nothing was uploaded twice").hasSize(3);
    }

    /** A stream that changed its lane: the later extent may be sealed long before the earlier one. */
    @Test
    void anExtentWhoseTimeCameLateFindsAPlaceThoughAllThatWaitWaitForIt() {
        long slow = world.openExtent(Lane.BULK);
        world.append(slow, streams.get(0), 3, 100);
        for (int i = 0; i < 10; i++) {
            world.sealed(Lane.NORMAL, 100, streams.get(0));
        }
        world.start();
        world.time.pass(10_000);
        assertThat(world.store.putKeys.size())
                .as("those that have waited for long take no places, within bounds")
                .isBetween(world.settings.uploadedMax(), 4 * world.settings.uploadedMax());

        world.seal(slow);
        world.time.pass(2_000);
        assertThat(world.allFlushed()).isTrue();
        assertThat(stream(0).catalog()).hasSize(11);
    }

    /** A stream came to this lane and another one left it while both lanes had open extents. */
    @Test
    void extentsThatWaitForEachOtherArePublishedInParts() {
        long one = world.openExtent(Lane.NORMAL);
        long other = world.openExtent(Lane.BULK);
        world.append(one, streams.get(0), 3, 100);
        world.append(other, streams.get(1), 3, 100);
        world.append(one, streams.get(1), 2, 100);
        world.append(other, streams.get(0), 2, 100);
        world.append(one, streams.get(0), 1, 100);
        world.checkpoint(one, streams.get(0));
        world.seal(one);
        world.seal(other);
        world.start();
        world.time.pass(2_000);
        assertThat(world.allFlushed()).isFalse();
        world.time.pass(3_000);
        assertThat(world.allFlushed()).isTrue();
        assertThat(stream(0).catalog()).hasSize(3);
        assertThat(stream(0).checkpoint()).isNotNull();
        assertThat(stream(1).catalog()).hasSize(2);
        assertThat(world.store.putKeys).hasSize(2);
    }

    @Test
    void aPartWhoseAnswerIsLostKeepsNobodyWaiting() {
        world(new FlushSettings(1, 1 << 20, 1 << 20, 0, 3_600_000, 500, 15_000, 1, 60_000, 25_000));
        world.control.fate(command -> command instanceof Command.PublishFlush publish && publish.partial()
                ? RuledControlPlane.Fate.UNCERTAIN_DONE
                : RuledControlPlane.Fate.DONE);
        twoThatWaitForEachOther();
        world.time.passUntil(world::allFlushed, 60_000);
    }

    private void twoThatWaitForEachOther() {
        long one = world.openExtent(Lane.NORMAL);
        long other = world.openExtent(Lane.BULK);
        world.append(one, streams.get(0), 3, 100);
        world.append(other, streams.get(1), 3, 100);
        world.append(one, streams.get(1), 2, 100);
        world.append(other, streams.get(0), 2, 100);
        world.seal(one);
        world.seal(other);
        world.start();
    }

    /** The extent that all wait for is neither the oldest nor among those that may wait. */
    @Test
    void extentsThatWaitForANewerOneDoNotKeepItFromItsUpload() {
        List<Long> waiting = new java.util.ArrayList<>();
        for (int i = 0; i < 6; i++) {
            waiting.add(world.openExtent(Lane.NORMAL));
        }
        long newest = world.openExtent(Lane.BULK);
        world.append(newest, streams.get(0), 3, 100);
        waiting.forEach(extent -> world.append(extent, streams.get(0), 3, 100));
        waiting.forEach(world::seal);
        world.seal(newest);
        world.start();
        world.time.pass(15_000);
        assertThat(world.allFlushed()).isTrue();
    }

    /** One range and one checkpoint of each stream: more than one record of the control log may have. */
    @Test
    void anExtentOfMoreStreamsThanOneCommandTakesIsFlushed() {
        long[] many = new long[Command.PublishFlush.ENTRIES_MAX / 2 + 1];
        int count = 0;
        for (int topic = 0; count < many.length; topic++) {
            for (long stream : world.topic("many-" + topic, Math.min(10_000, many.length - count))) {
                many[count++] = stream;
            }
        }
        long extent = world.sealed(Lane.NORMAL, 1, many);
        world.start();
        world.time.passUntil(world::allFlushed, 10_000);
        assertThat(world.flushed(extent)).isTrue();
        assertThat(world.store.putKeys).hasSize(1);
        assertThat(world.metrics.failures).isEmpty();
        long object = world.control.image().stream(many[0])
                .orElseThrow()
                .catalog()
                .get(0)
                .objectId();
        assertThat(world.control.image().object(object).orElseThrow().references())
                .isEqualTo(2 * many.length);
        for (long stream : many) {
            StreamState published = world.control.image().stream(stream).orElseThrow();
            assertThat(published.catalogEndOffset()).isEqualTo(3);
            assertThat(published.checkpoint()).isNotNull();
        }
    }

    @Test
    void whatIsPublishedInPartsComesToItsEndThroughLostAnswers() {
        world(fewEntries(3));
        int[] submissions = {0};
        world.control.fate(command -> !(command instanceof Command.PublishFlush)
                ? RuledControlPlane.Fate.DONE
                : switch (submissions[0]++ % 3) {
                    case 0 -> RuledControlPlane.Fate.UNCERTAIN_DONE;
                    case 1 -> RuledControlPlane.Fate.UNCERTAIN_LOST;
                    default -> RuledControlPlane.Fate.DONE;
                });
        List<Long> more = world.topic("more", 5);
        long extent = world.openExtent(Lane.NORMAL);
        more.forEach(stream -> world.append(extent, stream, 3, 100));
        more.forEach(stream -> world.checkpoint(extent, stream));
        world.seal(extent);
        world.start();
        world.time.passUntil(world::allFlushed, 60_000);
        assertThat(world.control.submitted(Command.PublishFlush.class)).allSatisfy(part -> assertThat(
                        part.ranges().size() + part.checkpoints().size())
                .isLessThanOrEqualTo(3));
        assertThat(world.store.putKeys).hasSize(1);
        more.forEach(stream -> assertThat(
                        world.control.image().stream(stream).orElseThrow().checkpoint())
                .isNotNull());
    }

    /** After each number of parts: what is left is uploaded anew, and nothing of it is published twice. */
    @Test
    void aCrashBetweenTwoPartsLosesNothing() {
        for (int before = 0; before < 5; before++) {
            world(fewEntries(2));
            int parts = before;
            int[] submissions = {0};
            world.control.fate(command -> command instanceof Command.PublishFlush && submissions[0]++ >= parts
                    ? RuledControlPlane.Fate.UNAVAILABLE
                    : RuledControlPlane.Fate.DONE);
            long extent =
                    world.sealed(Lane.NORMAL, 100, streams.get(0), streams.get(1), streams.get(2), streams.get(3));
            world.start();
            world.time.pass(100);
            assertThat(world.flushed(extent)).as("after %s parts", parts).isEqualTo(parts == 4);
            world.invariants.hold();

            world.control.fate(command -> RuledControlPlane.Fate.DONE);
            world.crash();
            world.time.passUntil(world::allFlushed, 60_000);
            world.invariants.hold();
            for (int i = 0; i < 4; i++) {
                assertThat(stream(i).catalog()).hasSize(1);
                assertThat(stream(i).checkpoint()).isNotNull();
            }
            world.time.pass(world.settings.objectTtlMs() + world.settings.reapGraceMs() + 2_000);
            world.control.upkeep();
            world.time.pass(world.settings.reapGraceMs() + 2_000);
            world.invariants.nothingLeaked();
        }
    }

    private static FlushSettings fewEntries(int publishEntriesMax) {
        return new FlushSettings(2, 1 << 20, 1 << 20, 0, 3_600_000, 500, 15_000, 4, 60_000, publishEntriesMax);
    }

    @Test
    void flushAllEndsWhenAllDataOfThisMomentIsPublished() {
        long open = world.openExtent(Lane.NORMAL);
        world.append(open, streams.get(0), 3, 100);
        long empty = world.openExtent(Lane.URGENT);
        world.start();
        CompletableFuture<Boolean> all = world.flusher.flushAll(10_000).toCompletableFuture();
        world.time.settle();
        assertThat(world.rolls).containsExactly(open);
        assertThat(all).isNotDone();

        world.seal(open);
        world.time.settle();
        assertThat(all).isCompletedWithValue(true);
        assertThat(world.flushed(empty)).isFalse();
    }

    @Test
    void flushAllEndsWithoutSuccessWhenItsTimeIsOver() {
        world.store.down(true);
        world.sealed(Lane.NORMAL, 100, streams.get(0));
        world.start();
        CompletableFuture<Boolean> all = world.flusher.flushAll(10_000).toCompletableFuture();
        world.time.pass(9_999);
        assertThat(all).isNotDone();
        world.time.pass(1);
        assertThat(all).isCompletedWithValue(false);
    }

    @Test
    void flushAllOfAFlusherThatIsClosedEndsAtOnce() {
        world.start();
        CompletableFuture<Boolean> before = world.flusher.flushAll(10_000).toCompletableFuture();
        world.time.settle();
        long open = world.openExtent(Lane.NORMAL);
        world.append(open, streams.get(0), 3, 100);
        CompletableFuture<Boolean> waiting = world.flusher.flushAll(10_000).toCompletableFuture();
        world.time.settle();
        assertThat(before).isCompletedWithValue(true);
        world.flusher.close();
        world.time.settle();
        assertThat(waiting).isCompletedWithValue(false);
        CompletableFuture<Boolean> after = world.flusher.flushAll(10_000).toCompletableFuture();
        world.time.settle();
        assertThat(after).isCompletedWithValue(false);
    }

    @Test
    void aKickRollsTheOpenExtentsThatHaveData() {
        long open = world.openExtent(Lane.NORMAL);
        world.append(open, streams.get(0), 3, 100);
        world.openExtent(Lane.URGENT);
        world.start();
        world.flusher.kick();
        world.time.settle();
        assertThat(world.rolls).containsExactly(open);
        world.seal(open);
        world.time.settle();
    }

    @Test
    void theAgeOfTheOldestUnflushedDataIsTold() {
        world.store.down(true);
        world.start();
        world.sealed(Lane.NORMAL, 100, streams.get(0));
        world.time.pass(30_000);
        world.sealed(Lane.URGENT, 100, streams.get(1));
        world.time.pass(10_000);
        FlushStats stats = world.flusher.stats();
        assertThat(stats.unflushedExtents()).isEqualTo(2);
        assertThat(stats.oldestUnflushedMs().get(Lane.NORMAL)).isBetween(39_000L, 40_000L);
        assertThat(stats.oldestUnflushedMs().get(Lane.URGENT)).isBetween(9_000L, 10_000L);
        assertThat(stats.storeFailures()).isPositive();
        world.store.down(false);
        world.time.passUntil(world::allFlushed, 20_000);
        world.time.pass(1_000);
        assertThat(world.flusher.stats().oldestUnflushedMs()).isEmpty();
        assertThat(world.flusher.stats().storeFailures()).isZero();
    }

    @Test
    void anExtentThatOneLookHasNoMemoryForIsTriedAgain() {
        world.start();
        world.wal.indexFault(extent -> new OutOfMemoryError("direct"));
        long extent = world.sealed(Lane.NORMAL, 100, streams.get(0));
        world.time.pass(10_000);
        assertThat(world.flushed(extent)).isFalse();
        world.wal.indexFault(any -> null);
        world.time.pass(60_000);
        assertThat(world.flushed(extent)).isTrue();
    }

    @Test
    void whatOneLookRunsIntoDoesNotEndTheFlush() {
        world.start();
        world.wal.indexFault(extent -> new java.io.IOException("injected"));
        long extent = world.sealed(Lane.NORMAL, 100, streams.get(0));
        world.time.pass(10_000);
        assertThat(world.flushed(extent)).isFalse();
        assertThat(world.metrics.failures(Stage.LOAD)).isPositive();
        world.wal.indexFault(any -> null);
        world.time.pass(60_000);
        assertThat(world.flushed(extent)).isTrue();
    }
}
