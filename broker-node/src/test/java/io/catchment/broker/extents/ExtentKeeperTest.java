package io.catchment.broker.extents;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.extents.FakeStore.Copy;
import io.catchment.broker.testing.RuledControlPlane.Fate;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TaskState;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import io.catchment.wal.Lane;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.StoreRef;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** One node's store beside the control plane's real rules. */
class ExtentKeeperTest {
    private KeeperWorld world = new KeeperWorld(4, false);

    private FakeStore store() {
        return world.store;
    }

    private List<String> readyNow() {
        return world.keeper.ready().toCompletableFuture().getNow(null);
    }

    private static RecoveryReport.Waiting waits(ExtentState extent, StoreRef... missing) {
        return new RecoveryReport.Waiting(extent.extentId(), List.of(missing), false, "injected: too few answer");
    }

    @Nested
    class FinalLengths {
        @Test
        void whatWasSealedWhileThisNodeWasDownIsSettledBeforeItIsReady() {
            ExtentState extent = world.sealed(2, 5_000, 1, 2);
            store().copies.put(extent.extentId(), Copy.UNSETTLED);
            world.keeper.start();
            world.time.settle();
            assertThat(readyNow()).as("not before it is settled").isNull();
            world.time.pass(1);
            assertThat(readyNow()).isEmpty();
            assertThat(store().copies).containsEntry(extent.extentId(), Copy.SETTLED);
        }

        @Test
        void aHolderThatHeardNothingOfTheSealIsSettledAfterAWhileAndOnce() {
            world.start();
            ExtentState extent = world.open(2);
            store().copies.put(extent.extentId(), Copy.OPEN);
            world.seal(extent, 5_000, 1, 2, 3);
            world.time.pass(1_500);
            assertThat(store().settleCalls).as("its writer tells it").isEmpty();
            world.time.pass(60_000);
            assertThat(store().settleCalls).containsExactly(extent.extentId());
        }

        @Test
        void openExtentsAreLeftAlone() {
            ExtentState extent = world.open(2);
            store().copies.put(extent.extentId(), Copy.OPEN);
            world.start();
            world.time.pass(60_000);
            assertThat(store().copies).containsEntry(extent.extentId(), Copy.OPEN);
        }

        @Test
        void aDamagedCopyIsReplacedByAnotherHoldersAndStandsInNobodysWay() {
            ExtentState extent = world.sealed(2, 5_000, 1, 2);
            store().copies.put(extent.extentId(), Copy.CORRUPT);
            store().unreachable.add(new StoreRef(2, "disk-2"));
            world.start();
            assertThat(readyNow()).as("others have it").isEmpty();
            world.time.pass(5_000);
            assertThat(store().copies).containsEntry(extent.extentId(), Copy.CORRUPT);
            assertThat(store().deleted).isEmpty();

            store().unreachable.clear();
            world.time.pass(20_000);
            assertThat(store().copies).containsEntry(extent.extentId(), Copy.SETTLED);
            assertThat(store().repairSources.get(0)).containsExactly(new StoreRef(2, "disk-2"));
            assertThat(world.control.submitted(Command.AddHolder.class)).isEmpty();
        }

        @Test
        void aCopyThatTurnsOutDamagedAfterItWasSettledIsReplacedToo() {
            ExtentState extent = world.sealed(1, 5_000, 1, 2);
            store().copies.put(extent.extentId(), Copy.UNSETTLED);
            world.start();
            world.time.pass(5_000);
            assertThat(store().copies).containsEntry(extent.extentId(), Copy.SETTLED);
            assertThat(store().repairSources).isEmpty();

            store().copies.put(extent.extentId(), Copy.CORRUPT);
            world.time.pass(5_000);
            assertThat(store().repairSources).containsExactly(List.of(new StoreRef(2, "disk-2")));
            assertThat(store().copies).containsEntry(extent.extentId(), Copy.SETTLED);
            assertThat(store().deleted).isEmpty();

            store().copies.put(extent.extentId(), Copy.CORRUPT);
            world.time.pass(5_000);
            assertThat(store().repairSources).as("each time").hasSize(2);
            assertThat(store().copies).containsEntry(extent.extentId(), Copy.SETTLED);
        }

        @Test
        void aCopyThatTheDiskCannotReadIsReplacedWhenItHasFailedForAWhile() {
            ExtentState extent = world.sealed(1, 5_000, 1, 2);
            store().copies.put(extent.extentId(), Copy.SETTLED);
            world.start();
            world.time.pass(5_000);

            store().copies.put(extent.extentId(), Copy.UNREADABLE);
            world.time.pass(2_000);
            assertThat(store().repairSources).as("it may be the moment's").isEmpty();
            world.time.pass(30_000);
            assertThat(store().repairSources).hasSize(1);
            assertThat(store().copies).containsEntry(extent.extentId(), Copy.SETTLED);
        }

        @Test
        void theLastCopyIsTriedOnWhenTheDiskCannotReadIt() {
            world = new KeeperWorld(4, true);
            ExtentState extent = world.sealed(1, 5_000, 1);
            store().copies.put(extent.extentId(), Copy.UNREADABLE);
            world.start();
            world.time.pass(120_000);
            assertThat(store().settleCalls).hasSizeGreaterThan(7);
            assertThat(world.image(extent).phase()).as("not given up").isEqualTo(Phase.SEALED);
            store().copies.put(extent.extentId(), Copy.UNSETTLED);
            world.time.pass(20_000);
            assertThat(store().copies).containsEntry(extent.extentId(), Copy.SETTLED);
        }

        @Test
        void aCopyWhoseFinalLengthCannotBeRecordedIsNotTakenForDamaged() {
            ExtentState extent = world.sealed(1, 5_000, 1, 2);
            store().copies.put(extent.extentId(), Copy.UNSETTLED);
            store().unwritable.add(extent.extentId());
            world.start();
            world.time.pass(120_000);
            assertThat(store().settleCalls).as("tried on").hasSizeGreaterThan(7);
            assertThat(store().repairSources).isEmpty();
        }

        @Test
        void aDamagedCopyThatNobodyElseHasIsNamed() {
            ExtentState extent = world.sealed(1, 5_000, 1);
            store().copies.put(extent.extentId(), Copy.CORRUPT);
            world.start();
            assertThat(readyNow()).singleElement().asString().contains("extent " + extent.extentId(), "damaged here");
            assertThat(store().deleted).isEmpty();
        }

        @Test
        void aDamagedCopyOfAFlushedExtentIsDeleted() {
            ExtentState extent = world.sealed(1, 5_000, 1, 2);
            world.control.now(
                    new Command.PublishFlush(1, world.epochs.get(1), extent.extentId(), -1, 0, List.of(), List.of()));
            store().copies.put(extent.extentId(), Copy.CORRUPT);
            world.start();
            assertThat(readyNow()).isEmpty();
            assertThat(store().deleted).containsExactly(extent.extentId());
        }

        @Test
        void aCopyThatThisStoreShouldHaveAndHasNotIsFetched() {
            ExtentState extent = world.sealed(2, 5_000, 1, 2);
            world.start();
            world.time.pass(1_000);
            assertThat(store().repairSources).isEmpty();
            world.time.pass(3_000);
            assertThat(store().copies).containsEntry(extent.extentId(), Copy.SETTLED);
        }
    }

    @Nested
    class Deletion {
        @Test
        void aSealWithoutThisStoreDeletesItsCopy() {
            world.start();
            ExtentState extent = world.open(2);
            store().copies.put(extent.extentId(), Copy.OPEN);
            world.seal(extent, 5_000, 2, 3);
            world.time.pass(1_500);
            assertThat(store().deleted).as("its writer tells it").isEmpty();
            world.time.pass(2_500);
            assertThat(store().deleted).containsExactly(extent.extentId());
        }

        @Test
        void whatNobodyKnowsIsDeletedAfterABarrier() {
            store().copies.put(77L, Copy.UNSETTLED);
            world.start();
            assertThat(readyNow()).isEmpty();
            assertThat(store().deleted).containsExactly(77L);
        }

        @Test
        void whatTheImageOnlyDoesNotShowYetIsKept() {
            long next = world.open(2).extentId() + 1;
            store().copies.put(next, Copy.OPEN);
            world.control.beforeBarrier(() -> world.open(2));
            world.start();
            world.time.pass(10_000);
            assertThat(store().deleted).isEmpty();
            assertThat(world.control.image().extent(next)).isPresent();
        }
    }

    /** Whole copies that no record names: their disk was away while its node was not. */
    @Nested
    class Found {
        private ExtentState extent;

        private boolean isHolder() {
            return world.image(extent).holders().contains(KeeperWorld.disk(1));
        }

        @Test
        void aCopyWhoseRecordedHolderIsDeadIsKeptAndBecomesAHolder() {
            extent = world.sealed(2, 5_000, 2);
            world.fence(2);
            store().copies.put(extent.extentId(), Copy.UNSETTLED);
            world.start();
            world.time.pass(20_000);
            assertThat(store().deleted).isEmpty();
            assertThat(store().copies).containsEntry(extent.extentId(), Copy.SETTLED);
            assertThat(isHolder()).isTrue();
            assertThat(world.image(extent).holders()).contains(KeeperWorld.disk(2));
        }

        @Test
        void soIsOneThatWasSettledBefore() {
            extent = world.sealed(2, 5_000, 2);
            world.fence(2);
            store().copies.put(extent.extentId(), Copy.SETTLED);
            world.start();
            world.time.pass(20_000);
            assertThat(store().deleted).isEmpty();
            assertThat(isHolder()).isTrue();
        }

        @Test
        void oneLiveHolderIsNotEnoughToDeleteAnother() {
            extent = world.sealed(2, 5_000, 2);
            store().copies.put(extent.extentId(), Copy.UNSETTLED);
            world.start();
            world.time.pass(20_000);
            assertThat(store().deleted).isEmpty();
            assertThat(isHolder()).isTrue();
        }

        @Test
        void itStaysUntilTheFateOfItsReportIsCertain() {
            extent = world.sealed(2, 5_000, 2, 3);
            world.fence(2);
            world.fence(3);
            store().copies.put(extent.extentId(), Copy.UNSETTLED);
            world.control.fate(command -> command instanceof Command.AddHolder ? Fate.UNCERTAIN_LOST : Fate.DONE);
            world.start();
            world.time.pass(5_000);
            world.register(2, "disk-2");
            world.register(3, "disk-3");
            world.time.pass(30_000);
            assertThat(store().deleted).isEmpty();
            world.control.fate(command -> Fate.DONE);
            world.time.pass(20_000);
            assertThat(isHolder()).isTrue();
            assertThat(store().deleted).isEmpty();
        }

        @Test
        void aCopyThatIsNotAllOfItIsNoHolderAndGoesWhenItsHoldersAreBack() {
            extent = world.sealed(2, 5_000, 2, 3);
            world.fence(2);
            world.fence(3);
            store().copies.put(extent.extentId(), Copy.CORRUPT);
            world.start();
            assertThat(readyNow()).as("it stands in nobody's way").isNotNull();
            world.time.pass(20_000);
            assertThat(isHolder()).isFalse();
            assertThat(store().deleted).isEmpty();
            world.register(2, "disk-2");
            world.register(3, "disk-3");
            world.time.pass(20_000);
            assertThat(isHolder()).isFalse();
            assertThat(store().deleted).containsExactly(extent.extentId());
        }

        @Test
        void ofAFlushedExtentItIsDeleted() {
            extent = world.sealed(2, 5_000, 2);
            world.control.now(
                    new Command.PublishFlush(2, world.epochs.get(2), extent.extentId(), -1, 0, List.of(), List.of()));
            world.fence(2);
            store().copies.put(extent.extentId(), Copy.UNSETTLED);
            world.start();
            world.time.pass(5_000);
            assertThat(store().deleted).containsExactly(extent.extentId());
        }
    }

    @Nested
    class Recovery {
        private ExtentState extent;

        /** Of node 2, which dies; this node is to recover it. */
        private void nodeTwoDies() {
            extent = world.open(2);
            while (!extent.ensemble().contains(KeeperWorld.disk(1))) {
                world.seal(extent, 0, 2);
                extent = world.open(2);
            }
            world.fence(2);
            while (!isMine()) {
                world.takeAwayRecovery(extent.extentId());
            }
        }

        private boolean isMine() {
            return Extents.isRecoveredBy(world.image(extent), 1, world.epochs.get(1));
        }

        @Test
        void whatTheDeadWriterLeftIsSealedByTheOneItWasGivenToWithoutAnotherEpoch() {
            world.start();
            nodeTwoDies();
            assertThat(isMine()).isTrue();
            store().hanging.add(extent.extentId());
            world.time.pass(100);
            assertThat(world.keeper.workedOn()).containsExactly(extent.extentId());
            store().release();
            world.time.pass(100);
            assertThat(world.image(extent).phase()).isEqualTo(Phase.SEALED);
            assertThat(world.image(extent).length()).isEqualTo(store().recoveredLength);
            assertThat(world.control.submitted(Command.RecoverExtent.class)).isEmpty();
            assertThat(world.keeper.workedOn()).isEmpty();
        }

        @Test
        void whatWaitsIsTriedAgainWithPausesAndAtOnceWhenANodeComes() {
            world.start();
            nodeTwoDies();
            store().waits.put(extent.extentId(), waits(extent, new StoreRef(2, "disk-2")));
            world.time.pass(600_000);
            int calls = store().recoverCalls.size();
            assertThat(calls).isBetween(40, 200);
            assertThat(world.keeper.obstacles()).singleElement().asString().contains("extent " + extent.extentId());
            assertThat(world.keeper.workedOn()).as("another may try").isEmpty();

            store().waits.clear();
            world.register(4, "disk-4");
            world.time.pass(50);
            assertThat(world.image(extent).phase()).isEqualTo(Phase.SEALED);
            assertThat(world.keeper.obstacles()).isEmpty();
        }

        @Test
        void oneThatIsGivenToAnotherInTheMiddleIsNotSealedByThisNode() {
            world.start();
            nodeTwoDies();
            store().hanging.add(extent.extentId());
            world.time.pass(100);
            world.takeAwayRecovery(extent.extentId());
            assertThat(isMine()).isFalse();
            store().release();
            world.time.pass(30_000);
            assertThat(world.image(extent).phase()).isEqualTo(Phase.RECOVERING);
            assertThat(world.keeper.workedOn()).isEmpty();
            assertThat(store().recoverCalls).hasSize(1);
            assertThat(world.keeper.obstacles()).isEmpty();
        }

        @Test
        void severalAreRecoveredAtATime() {
            world = new KeeperWorld(1, false);
            List<Long> extents = List.of(
                    world.open(1).extentId(),
                    world.open(1).extentId(),
                    world.open(1).extentId());
            world.restart(false);
            store().hanging.addAll(extents);
            world.start();
            assertThat(store().recoverCalls).containsExactlyElementsOf(extents);
            assertThat(world.keeper.workedOn()).containsExactlyInAnyOrderElementsOf(extents);
        }

        @Test
        void aRestartedNodeIsReadyWhenItsOwnPastIsSealedOrKnownToWait() {
            extent = world.open(1);
            ExtentState other = world.open(1);
            store().copies.put(extent.extentId(), Copy.OPEN);
            store().copies.put(other.extentId(), Copy.OPEN);
            world.restart(false);
            store().waits.put(other.extentId(), waits(other, new StoreRef(3, "disk-3")));
            store().hanging.add(extent.extentId());
            world.start();
            world.time.pass(5_000);
            assertThat(readyNow()).as("one is still under way").isNull();
            store().release();
            world.time.pass(50);
            assertThat(readyNow()).singleElement().asString().contains("extent " + other.extentId());
            assertThat(world.image(extent).phase()).isEqualTo(Phase.SEALED);
        }
    }

    @Nested
    class Stray {
        private CompletableFuture<ExtentDescriptor> create() {
            return world.registry.create(Lane.NORMAL).toCompletableFuture();
        }

        private List<ExtentState> open() {
            return world.control.image().extents().stream()
                    .filter(extent -> extent.phase() == Phase.OPEN)
                    .toList();
        }

        @Test
        void anExtentWhoseCreationWasAnsweredToNobodyIsSealedEmpty() {
            world.start();
            world.control.fate(command -> command instanceof Command.CreateExtent ? Fate.UNCERTAIN_DONE : Fate.DONE);
            CompletableFuture<ExtentDescriptor> lost = create();
            world.time.pass(60_000);
            assertThat(lost).isCompletedExceptionally();
            assertThat(open()).isEmpty();
            assertThat(world.control.image().extents()).singleElement().satisfies(extent -> {
                assertThat(extent.phase()).isEqualTo(Phase.SEALED);
                assertThat(extent.length()).isZero();
                assertThat(extent.holders()).isEqualTo(extent.ensemble());
            });
        }

        @Test
        void itIsSealedAlsoWhileTheControllersAnswerBadly() {
            world.start();
            world.control.fate(
                    command -> command instanceof Command.CreateExtent ? Fate.UNCERTAIN_DONE : Fate.UNAVAILABLE);
            CompletableFuture<ExtentDescriptor> lost = create();
            world.time.pass(60_000);
            assertThat(lost).isCompletedExceptionally();
            assertThat(open()).hasSize(1);
            assertThat(world.control.submitted(Command.SealExtent.class)).hasSizeLessThan(30);
            world.control.fate(command -> Fate.DONE);
            world.time.pass(20_000);
            assertThat(open()).isEmpty();
        }

        @Test
        void oneThatALaneHasIsLeftAlone() {
            world.start();
            CompletableFuture<ExtentDescriptor> mine = create();
            world.time.pass(60_000);
            assertThat(open()).singleElement().satisfies(extent -> assertThat(extent.extentId())
                    .isEqualTo(mine.join().extentId()));
            ExtentState others = world.open(2);
            world.time.pass(60_000);
            assertThat(world.image(others).phase()).isEqualTo(Phase.OPEN);
        }

        /** It cannot be: then nobody knows what is right. */
        @Test
        void oneOfWhichThisStoreHasACopyIsLeftAlone() {
            world.start();
            ExtentState odd = world.open(1);
            store().copies.put(odd.extentId(), Copy.OPEN);
            world.time.pass(60_000);
            assertThat(world.image(odd).phase()).isEqualTo(Phase.OPEN);
        }

        @Test
        void whatLanesWereGivenIsForgottenOnceItIsSealed() {
            world.start();
            CompletableFuture<ExtentDescriptor> created = create();
            world.time.pass(10_000);
            ExtentDescriptor mine = created.join();
            assertThat(world.registry.given()).containsExactly(mine.extentId());
            world.registry.seal(mine.extentId(), 0, mine.ensemble());
            world.time.pass(10_000);
            assertThat(world.registry.given()).isEmpty();
        }

        @Test
        void oneThatALaneIsAboutToHearOfIsLeftAloneToo() {
            world.start();
            GivenExtents given = new GivenExtents();
            CompletableFuture<ExtentState> answer = new CompletableFuture<>();
            CompletionStage<ExtentState> told = given.ask(Lane.NORMAL, () -> answer);
            ExtentState inTheImage = world.open(1);
            assertThat(given.isStray(inTheImage)).isFalse();
            answer.complete(inTheImage);
            assertThat(told.toCompletableFuture()).isCompleted();
            assertThat(given.isStray(inTheImage)).isFalse();
            given.forget(List.of(inTheImage.extentId()));
            assertThat(given.isStray(inTheImage)).isTrue();
        }
    }

    @Nested
    class Repair {
        private ExtentState extent;

        private void repairIsDue() {
            extent = world.sealed(2, 5_000, 2, 3);
            // Of the two nodes without a copy this one is to get it.
            world.control.now(new Command.DrainNode(4, true));
            world.giveRepairs(Set.of(extent.extentId()));
            assertThat(world.hasTask(TaskState.Kind.REPAIR, 1)).isTrue();
        }

        private boolean isHolder() {
            return world.image(extent).holders().contains(KeeperWorld.disk(1));
        }

        @Test
        void aTaskIsCopiedReportedAndKept() {
            world.start();
            repairIsDue();
            world.time.pass(100);
            assertThat(isHolder()).isTrue();
            assertThat(world.hasTask(TaskState.Kind.REPAIR, 1)).isFalse();
            assertThat(store().repairSources).hasSize(1);
            world.time.pass(20_000);
            assertThat(store().deleted).isEmpty();
        }

        @Test
        void anOldCopyUnderRepairIsKept() {
            world.start();
            repairIsDue();
            store().copies.put(extent.extentId(), Copy.OPEN);
            store().hanging.add(extent.extentId());
            world.time.pass(20_000);
            assertThat(store().deleted).isEmpty();
            assertThat(world.keeper.workedOn()).containsExactly(extent.extentId());
        }

        @Test
        void oneThatHangsIsNotClaimedForEver() {
            world.start();
            repairIsDue();
            store().hanging.add(extent.extentId());
            world.time.pass(590_000);
            assertThat(world.keeper.workedOn()).containsExactly(extent.extentId());
            world.time.pass(20_000);
            assertThat(world.keeper.workedOn()).as("another may try").isEmpty();
        }

        @Test
        void holdersThatLiveAreAskedFirst() {
            world.start();
            world.fence(2);
            extent = world.sealed(3, 5_000, 2, 3);
            world.control.now(new Command.DrainNode(4, true));
            world.giveRepairs(Set.of(extent.extentId()));
            world.time.pass(100);
            assertThat(store().repairSources.get(0))
                    .containsExactly(new StoreRef(3, "disk-3"), new StoreRef(2, "disk-2"));
        }

        @Test
        void aKillInTheMiddleLeavesNothingAndTheNextLifeDoesNotCountAsAHolder() {
            world.start();
            repairIsDue();
            store().hanging.add(extent.extentId());
            world.time.pass(100);
            world.restart(false);
            store().hanging.clear();
            store().copies.put(extent.extentId(), Copy.UNSETTLED);
            world.start();
            world.time.pass(5_000);
            assertThat(isHolder()).as("the task was the former epoch's").isFalse();
            assertThat(store().deleted).containsExactly(extent.extentId());

            world.giveRepairs(Set.of(extent.extentId()));
            world.time.pass(100);
            assertThat(isHolder()).isTrue();
            assertThat(store().copies).containsEntry(extent.extentId(), Copy.SETTLED);
        }

        @Test
        void aReportOfUnknownFateIsRepeatedAndTheCopyKeptMeanwhile() {
            world.start();
            world.control.fate(command -> command instanceof Command.AddHolder ? Fate.UNCERTAIN_DONE : Fate.DONE);
            repairIsDue();
            world.time.pass(60_000);
            assertThat(store().deleted).isEmpty();
            assertThat(store().repairSources).as("copied once").hasSize(1);
            world.control.fate(command -> Fate.DONE);
            world.time.pass(20_000);
            assertThat(isHolder()).isTrue();
            assertThat(store().deleted).isEmpty();
        }

        @Test
        void aReportThatNeverArrivedOfATaskThatIsOverFreesTheCopyOnlyWhenThatIsCertain() {
            world.start();
            world.control.fate(command -> command instanceof Command.AddHolder ? Fate.UNCERTAIN_LOST : Fate.DONE);
            repairIsDue();
            world.time.pass(1_000);
            world.control.now(
                    new Command.PublishFlush(2, world.epochs.get(2), extent.extentId(), -1, 0, List.of(), List.of()));
            assertThat(world.hasTask(TaskState.Kind.REPAIR, 1)).isFalse();
            world.time.pass(60_000);
            assertThat(store().deleted).isEmpty();
            world.control.fate(command -> Fate.DONE);
            world.time.pass(20_000);
            assertThat(isHolder()).isTrue();
        }

        @Test
        void aRepairThatFailsIsTriedAgainWithPauses() {
            world.start();
            store().unreachable.addAll(List.of(new StoreRef(2, "disk-2"), new StoreRef(3, "disk-3")));
            repairIsDue();
            world.time.pass(300_000);
            assertThat(store().repairSources.size()).isBetween(20, 80);
            assertThat(world.keeper.workedOn()).as("another may try").isEmpty();
            store().unreachable.clear();
            world.time.pass(15_000);
            assertThat(isHolder()).isTrue();
        }
    }

    @Nested
    class Loss {
        @Test
        void aWipedNodeThatWasAloneNamesWhatItLost() {
            world = new KeeperWorld(1, false);
            ExtentState open = world.open(1);
            ExtentState sealed = world.sealed(1, 5_000, 1);
            ExtentState empty = world.sealed(1, 0, 1);
            world.restart(true);
            store().waits.put(open.extentId(), waits(open, new StoreRef(1, "disk-1")));
            world.start();
            assertThat(readyNow()).hasSize(2);
            assertThat(String.join("\n", readyNow()))
                    .contains(
                            "extent " + open.extentId() + " cannot be recovered",
                            "extent " + sealed.extentId() + " (5000 bytes) was not flushed and its store is gone",
                            "catchment.wal.accept.loss=true")
                    .doesNotContain("extent " + empty.extentId() + " ");
        }

        @Test
        void theOperatorMayGiveUpWhatNoStoreHas() {
            world = new KeeperWorld(1, true);
            ExtentState open = world.open(1);
            ExtentState sealed = world.sealed(1, 5_000, 1);
            world.restart(true);
            store().waits.put(open.extentId(), waits(open, new StoreRef(1, "disk-1")));
            world.start();
            assertThat(readyNow()).isEmpty();
            assertThat(world.image(sealed).phase()).isEqualTo(Phase.FLUSHED);
            assertThat(world.image(open).phase()).isEqualTo(Phase.SEALED);
            assertThat(world.image(open).length()).isZero();
        }

        private long published(long endOffset) {
            world.control.now(new Command.CreateTopics(
                    List.of(new Command.CreateTopic("t", 1, (short) 1, Map.of(), List.of(1))), false));
            long stream =
                    world.control.image().topic("t").orElseThrow().streams().get(0);
            claim(stream, 0);
            ExtentState flushed = world.sealed(1, 5_000, 1);
            flush(flushed, stream, 0, endOffset);
            return stream;
        }

        private void claim(long stream, long endOffset) {
            world.control.now(
                    new Command.OpenStreams(1, world.epochs.get(1), List.of(new Command.Claim(stream, endOffset))));
        }

        private void flush(ExtentState extent, long stream, long from, long to) {
            long object = world.control
                    .now(new Command.PrepareObjects(1, world.epochs.get(1), 1, 60_000))
                    .get(0);
            world.control.now(new Command.PublishFlush(
                    1,
                    world.epochs.get(1),
                    extent.extentId(),
                    object,
                    100,
                    List.of(new Command.NewRange(stream, from, to, 0, 100, 1, 1)),
                    List.of()));
        }

        private StreamState stream(long id) {
            return world.control.image().stream(id).orElseThrow();
        }

        /** The stream's last range: one batch without records. */
        private void assertFilled(long stream, long from, long to, int epoch) {
            List<io.catchment.controlplane.StreamRange> catalog = stream(stream).catalog();
            var range = catalog.get(catalog.size() - 1);
            assertThat(range.baseOffset()).isEqualTo(from);
            assertThat(range.endOffset()).isEqualTo(to);
            ByteBuf bytes = world.objects
                    .get(ObjectKeys.key(range.objectId()), range.position(), range.length())
                    .toCompletableFuture()
                    .join();
            assertThat(MemoryRecords.readableRecords(bytes.nioBuffer()).batches())
                    .singleElement()
                    .satisfies(batch -> {
                        batch.ensureValid();
                        assertThat(batch.baseOffset()).isEqualTo(from);
                        assertThat(batch.lastOffset()).isEqualTo(to - 1);
                        assertThat(batch.iterator().hasNext()).isFalse();
                        assertThat(batch.partitionLeaderEpoch()).isEqualTo(epoch);
                        assertThat(batch.hasProducerId()).isFalse();
                    });
            bytes.release();
        }

        @Test
        void offsetsOfALastEpochThatNobodyHasAreFilledAndNeverUsedAgain() {
            world = new KeeperWorld(1, true);
            long stream = published(100);
            int epoch = stream(stream).epoch();
            ExtentState lost = world.sealed(1, 5_000, 1);
            world.restart(false);
            claim(stream, 120);
            ExtentState empty = world.open(1);
            world.restart(true);
            store().waits.put(empty.extentId(), waits(empty, new StoreRef(1, "disk-1")));
            world.start();
            world.time.pass(5_000);
            assertThat(world.image(lost).phase()).isEqualTo(Phase.FLUSHED);
            assertThat(stream(stream).catalogEndOffset())
                    .as("whoever opens it sees all that its last epoch began with")
                    .isEqualTo(120);
            assertFilled(stream, 100, 120, epoch);
            assertThat(readyNow())
                    .as("a node that is alone would serve nothing")
                    .isEmpty();
            assertThat(world.keeper.obstacles()).isEmpty();
        }

        @Test
        void offsetsBeforeWhatThisNodeStillHasAreFilledAndWhatFollowsIsFlushed() {
            world = new KeeperWorld(1, true);
            long stream = published(100);
            int epoch = stream(stream).epoch();
            ExtentState lost = world.sealed(1, 5_000, 1);
            ExtentState left = world.sealed(1, 5_000, 1);
            store().copies.put(lost.extentId(), Copy.CORRUPT);
            store().copies.put(left.extentId(), Copy.SETTLED);
            store().frames
                    .put(
                            left.extentId(),
                            List.of(new FrameEntry(FrameKind.DATA, stream, 0, 150, 50, 1, 0, 0, 100, new byte[61])));
            world.start();
            world.time.pass(5_000);
            assertThat(world.image(lost).phase()).isEqualTo(Phase.FLUSHED);
            assertThat(world.image(left).phase()).isEqualTo(Phase.SEALED);
            assertFilled(stream, 100, 150, epoch);
            flush(left, stream, 150, 200);
            assertThat(stream(stream).catalogEndOffset()).isEqualTo(200);
        }

        @Test
        void aHoleBehindWhatIsNotFlushedYetIsInNobodysWayAndFilledAfterTheFlush() {
            world = new KeeperWorld(1, true);
            long stream = published(100);
            int epoch = stream(stream).epoch();
            ExtentState before = world.sealed(1, 5_000, 1);
            ExtentState lost = world.sealed(1, 5_000, 1);
            world.restart(false);
            claim(stream, 150);
            store().copies.put(before.extentId(), Copy.SETTLED);
            store().copies.put(lost.extentId(), Copy.CORRUPT);
            store().frames
                    .put(
                            before.extentId(),
                            List.of(new FrameEntry(FrameKind.DATA, stream, 0, 100, 10, 1, 0, 0, 100, new byte[61])));
            world.start();
            world.time.pass(5_000);
            assertThat(readyNow()).isEmpty();
            assertThat(world.image(lost).phase()).isEqualTo(Phase.SEALED);
            flush(before, stream, 100, 110);
            world.time.pass(60_000);
            assertThat(world.image(lost).phase()).isEqualTo(Phase.FLUSHED);
            assertFilled(stream, 110, 150, epoch);
        }

        private static FrameEntry frame(long stream, long from, int count) {
            return new FrameEntry(FrameKind.DATA, stream, 0, from, count, 1, 0, 0, 100, new byte[61]);
        }

        /** Offsets 100 to 120 of the answer's stream were in the lost extent of node 1; another owner went on with what only others hold. */
        private long movedOn(List<ExtentState> lostAndLeft) {
            world = new KeeperWorld(4, true);
            long stream = published(100);
            lostAndLeft.add(world.sealed(1, 5_000, 1));
            world.fence(1);
            int owner = stream(stream).ownerNodeId();
            assertThat(owner).isBetween(2, 4);
            world.control.now(
                    new Command.OpenStreams(owner, world.epochs.get(owner), List.of(new Command.Claim(stream, 120))));
            lostAndLeft.add(world.sealed(owner, 5_000, owner));
            world.restart(true);
            return stream;
        }

        @Test
        void aHoleBeforeWhatOnlyOtherNodesHaveIsFilled() {
            List<ExtentState> extents = new java.util.ArrayList<>();
            long stream = movedOn(extents);
            world.elsewhere.frames.put(extents.get(1).extentId(), List.of(frame(stream, 130, 20)));
            world.start();
            world.time.pass(5_000);
            assertThat(world.image(extents.get(0)).phase()).isEqualTo(Phase.FLUSHED);
            assertThat(stream(stream).catalogEndOffset())
                    .as("up to the first frame that another node shows")
                    .isEqualTo(130);
            assertThat(world.keeper.obstacles()).isEmpty();
        }

        @Test
        void whileNobodyShowsWhatIsLeftNothingIsFilled() {
            List<ExtentState> extents = new java.util.ArrayList<>();
            long stream = movedOn(extents);
            world.start();
            world.time.pass(30_000);
            assertThat(world.image(extents.get(0)).phase()).isEqualTo(Phase.SEALED);
            assertThat(stream(stream).catalogEndOffset()).isEqualTo(100);
            assertThat(readyNow())
                    .singleElement()
                    .asString()
                    .contains("extent " + extents.get(0).extentId());

            world.elsewhere.frames.put(extents.get(1).extentId(), List.of(frame(stream, 120, 30)));
            world.time.pass(15_000);
            assertThat(world.image(extents.get(0)).phase()).isEqualTo(Phase.FLUSHED);
            assertThat(stream(stream).catalogEndOffset()).isEqualTo(120);
            assertThat(world.keeper.obstacles()).isEmpty();
        }

        @Test
        void aSecondHoleInOneExtentIsFilledWhenWhatIsBetweenThemIsFlushed() {
            world = new KeeperWorld(1, true);
            long stream = published(100);
            int epoch = stream(stream).epoch();
            ExtentState lost = world.sealed(1, 5_000, 1);
            ExtentState left = world.sealed(1, 5_000, 1);
            store().copies.put(lost.extentId(), Copy.CORRUPT);
            store().copies.put(left.extentId(), Copy.SETTLED);
            store().frames.put(left.extentId(), List.of(frame(stream, 120, 10), frame(stream, 150, 10)));
            world.start();
            world.time.pass(5_000);
            assertFilled(stream, 100, 120, epoch);
            assertThat(world.image(lost).phase()).isEqualTo(Phase.SEALED);
            assertThat(readyNow()).as("it is in nobody's way").isEmpty();

            long object = world.control
                    .now(new Command.PrepareObjects(1, world.epochs.get(1), 1, 60_000))
                    .get(0);
            world.control.now(new Command.PublishFlush(
                    1,
                    world.epochs.get(1),
                    left.extentId(),
                    object,
                    100,
                    List.of(new Command.NewRange(stream, 120, 130, 0, 100, 1, 1)),
                    List.of(),
                    true));
            world.time.pass(60_000);
            assertFilled(stream, 130, 150, epoch);
            assertThat(world.image(lost).phase()).isEqualTo(Phase.FLUSHED);
            flush(left, stream, 150, 160);
            assertThat(stream(stream).catalogEndOffset()).isEqualTo(160);
        }

        @Test
        void moreHolesThanOneCommandTakesComeInSeveral() {
            world = new KeeperWorld(1, true);
            world.control.now(
                    new Command.CreateTopics(List.of(new Command.CreateTopic("t", 5, (short) 1, Map.of())), false));
            List<Long> streams = world.control.image().topic("t").orElseThrow().streams();
            streams.forEach(stream -> claim(stream, 0));
            ExtentState lost = world.sealed(1, 5_000, 1);
            world.restart(true);
            streams.forEach(stream -> claim(stream, 120));
            LostOffsets offsets = new LostOffsets(
                    new LostHoles(store(), world.elsewhere, Runnable::run),
                    world.control,
                    world.objects,
                    () -> 0,
                    1,
                    world.epochs.get(1),
                    2);
            int before = world.control.submitted(Command.PublishFlush.class).size();
            var filled = offsets.giveUp(world.control.image(), world.image(lost), Set.of(lost.extentId()))
                    .toCompletableFuture();
            world.time.pass(1_000);
            assertThat(filled.join()).hasSize(5);
            List<Command.PublishFlush> commands = world.control.submitted(Command.PublishFlush.class);
            assertThat(commands.subList(before, commands.size()))
                    .extracting(command -> command.ranges().size())
                    .containsExactly(2, 2, 1);
            assertThat(world.image(lost).phase()).isEqualTo(Phase.FLUSHED);
            assertThat(streams).allMatch(stream -> stream(stream).catalogEndOffset() == 120);
        }

        @Test
        void nothingIsFilledOfAStreamThatIsNotKnownToHaveGoneFurther() {
            world = new KeeperWorld(1, true);
            long stream = published(100);
            ExtentState lost = world.sealed(1, 5_000, 1);
            world.restart(true);
            world.start();
            assertThat(world.image(lost).phase()).isEqualTo(Phase.FLUSHED);
            assertThat(stream(stream).catalogEndOffset()).isEqualTo(100);
        }

        @Test
        void aHoleOfMoreThanOneBatchsOffsetsIsFilledByTwo() {
            world = new KeeperWorld(1, true);
            long stream = published(100);
            ByteBuf all = LostOffsets.batches(new LostHoles.Hole(stream(stream), 100, 100 + (1L << 31) + 5));
            assertThat(all.readableBytes()).isEqualTo(2 * DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
            List<Long> ends = new java.util.ArrayList<>();
            MemoryRecords.readableRecords(all.nioBuffer()).batches().forEach(batch -> {
                batch.ensureValid();
                ends.add(batch.lastOffset());
            });
            assertThat(ends).containsExactly(99 + (1L << 31), 104 + (1L << 31));
        }

        @Test
        void whatAStoreMayStillBringBackIsNotGivenUp() {
            world = new KeeperWorld(3, true);
            ExtentState open = world.open(1);
            ExtentState sealed = world.sealed(1, 5_000, 2);
            world.fence(2);
            world.restart(false);
            store().waits.put(open.extentId(), waits(open, new StoreRef(2, "disk-2")));
            world.start();
            world.time.pass(60_000);
            assertThat(world.image(open).phase()).isEqualTo(Phase.RECOVERING);
            assertThat(world.image(sealed).phase()).isEqualTo(Phase.SEALED);
            assertThat(world.keeper.obstacles()).singleElement().asString().contains("extent " + open.extentId());
        }

        @Test
        void whatADiskThatStandsStillMayHaveIsNotGivenUp() {
            world = new KeeperWorld(3, true);
            ExtentState open = world.open(1);
            world.restart(false);
            store().waits
                    .put(
                            open.extentId(),
                            new RecoveryReport.Waiting(
                                    open.extentId(),
                                    List.of(new StoreRef(1, "disk-1"), new StoreRef(2, "disk-of-before")),
                                    true,
                                    "injected: no answer in time"));
            world.start();
            world.time.pass(60_000);
            assertThat(world.image(open).phase()).isEqualTo(Phase.RECOVERING);
        }

        @Test
        void aWipedNodeOfSeveralLosesNothing() {
            world = new KeeperWorld(3, false);
            world.sealed(1, 5_000, 1, 2);
            world.restart(true);
            world.start();
            assertThat(readyNow()).isEmpty();
        }
    }

    @Test
    void aKeeperThatIsClosedDoesNothingMore() {
        world.start();
        world.keeper.close();
        store().copies.put(77L, Copy.UNSETTLED);
        world.time.pass(10_000);
        assertThat(store().deleted).isEmpty();
    }
}
