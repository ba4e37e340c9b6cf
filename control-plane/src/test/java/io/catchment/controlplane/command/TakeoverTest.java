package io.catchment.controlplane.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.Claim;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.ExtentState.Recoverer;
import io.catchment.controlplane.ExtentState.Store;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.StreamState.Writer;
import io.catchment.controlplane.TaskState;
import io.catchment.controlplane.TaskState.Kind;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.log.LogRecordSerde;
import io.catchment.controlplane.log.ReplicatedLog;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.ClusterState.TaskKey;
import io.catchment.controlplane.state.Protos;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.junit.jupiter.api.Test;

/** What becomes of a dead node's extents, streams and tasks. */
class TakeoverTest {
    private final Script script = Script.ofOneNode();
    private final long first = script.node(1).epoch();
    private final long second = script.register(2);
    private final long third = script.register(3);

    TakeoverTest() {
        script.replicas(3, 2);
    }

    @Test
    void theDeadNodesOpenExtentsAreRecoveredByLiveEnsembleNodesInParallel() {
        List<Long> extents = new ArrayList<>();
        for (int lane = 0; lane < 3; lane++) {
            extents.add(script.done(new Command.CreateExtent(1, first, lane)).extentId());
            extents.add(script.done(new Command.CreateExtent(1, first, lane)).extentId());
        }
        script.done(new Command.FenceNode(1, first));

        assertThat(script.node(1).fenced()).isTrue();
        int bySecond = 0;
        long epochBefore = third;
        for (long id : extents) {
            ExtentState extent = script.extent(id);
            assertThat(extent.phase()).isEqualTo(Phase.RECOVERING);
            assertThat(extent.epoch()).isGreaterThan(epochBefore);
            epochBefore = extent.epoch();
            Recoverer recoverer = Objects.requireNonNull(extent.recoverer());
            assertThat(recoverer).isIn(new Recoverer(2, second), new Recoverer(3, third));
            bySecond += recoverer.nodeId() == 2 ? 1 : 0;
        }
        assertThat(bySecond).isEqualTo(3);
        script.refused(Reason.FENCED, new Command.SealExtent(extents.get(0), first, 7, stores(1, 2, 3)));
        script.doneWithoutEffect(new Command.FenceNode(1, first));
    }

    @Test
    void theNextRecovererIsChosenWhenOneDiesAndTheFormerOnesSealIsRefused() {
        long id = script.done(new Command.CreateExtent(1, first, 1)).extentId();
        script.done(new Command.FenceNode(1, first));
        ExtentState before = script.extent(id);
        int recoverer = Objects.requireNonNull(before.recoverer()).nodeId();
        int other = 5 - recoverer;
        script.done(new Command.FenceNode(recoverer, script.node(recoverer).epoch()));

        ExtentState after = script.extent(id);
        assertThat(Objects.requireNonNull(after.recoverer()).nodeId()).isEqualTo(other);
        assertThat(after.epoch()).isGreaterThan(before.epoch());
        script.refused(Reason.FENCED, new Command.SealExtent(id, before.epoch(), 7, stores(2, 3)));
        script.done(new Command.SealExtent(id, after.epoch(), 7, stores(other)));
        assertThat(script.extent(id).recoverer()).isNull();
    }

    @Test
    void whoDiedMeanwhileCannotSealThoughNobodyFollows() {
        long id = script.done(new Command.CreateExtent(1, first, 1)).extentId();
        script.done(new Command.FenceNode(1, first));
        script.done(new Command.FenceNode(2, second));
        ExtentState extent = script.extent(id);
        script.done(new Command.FenceNode(3, third));
        assertThat(script.extent(id).recoverer()).isNull();
        script.refused(Reason.FENCED, new Command.SealExtent(id, extent.epoch(), 7, stores(3)));
        script.refused(
                Reason.FENCED, new Command.SealExtent(id, script.extent(id).epoch(), 7, stores(3)));

        long again = script.register(3);
        assertThat(script.extent(id).recoverer()).isEqualTo(new Recoverer(3, again));
    }

    @Test
    void nobodyTakesARecoveryFromALiveRecovererButAStuckOneLosesIt() {
        long id = script.done(new Command.CreateExtent(1, first, 1)).extentId();
        script.done(new Command.FenceNode(1, first));
        int recoverer = Objects.requireNonNull(script.extent(id).recoverer()).nodeId();
        int other = 5 - recoverer;
        script.refused(
                Reason.FENCED,
                new Command.RecoverExtent(id, other, script.node(other).epoch()));
        upkeep(new Observed(Set.of(id), Set.of(), Set.of(), Set.of()));
        assertThat(Objects.requireNonNull(script.extent(id).recoverer()).nodeId())
                .isEqualTo(other);
    }

    @Test
    void aNodeThatIsBackWithItsStoreRecoversItsOwnExtentsAndKeepsItsStreams() {
        script.createTopic("t", 3);
        long id = script.done(new Command.CreateExtent(1, first, 1)).extentId();
        long stream = streamOf(1);
        script.done(new Command.OpenStreams(1, first, List.of(new Claim(stream, 0))));
        long again = script.register(1);

        assertThat(script.extent(id).recoverer()).isEqualTo(new Recoverer(1, again));
        assertThat(stream(stream).ownerNodeId()).isEqualTo(1);
        // Not before its end is known
        Command.OpenStreams open = new Command.OpenStreams(1, again, List.of(new Claim(stream, 0)));
        assertThat(script.doneWithoutEffect(open)).isEmpty();
        script.done(new Command.SealExtent(id, script.extent(id).epoch(), 7, stores(1, 2)));
        assertThat(script.done(open)).containsKey(stream);
    }

    @Test
    void aNodeThatIsBackWithAnotherDiskLeavesTheRecoveryToOthers() {
        long id = script.done(new Command.CreateExtent(1, first, 1)).extentId();
        script.register(1, "wiped", "zone-1");
        assertThat(Objects.requireNonNull(script.extent(id).recoverer()).nodeId())
                .isIn(2, 3);
        assertThat(script.image().standIns(script.extent(id))).isEmpty();
        script.register(4, "store-4", "zone-2");
        script.register(5, "store-5", "zone-5");
        assertThat(script.image().standIns(script.extent(id)))
                .containsExactly(new Store(5, "store-5"), new Store(4, "store-4"));
    }

    @Test
    void streamsGoToOtherOwnersAndAreServedOnlyAfterTheSeal() {
        script.createTopic("t", 9);
        List<Long> mine = new ArrayList<>();
        for (int partition = 0; partition < 9; partition++) {
            if (script.stream("t", partition).ownerNodeId() == 1) {
                mine.add(script.stream("t", partition).streamId());
            }
        }
        assertThat(mine).hasSize(3);
        script.done(new Command.OpenStreams(
                1, first, mine.stream().map(id -> new Claim(id, 0)).toList()));
        long extent = script.done(new Command.CreateExtent(1, first, 1)).extentId();
        assertThat(stream(mine.get(0)).writers()).containsExactly(new Writer(1, first));
        script.done(new Command.FenceNode(1, first));

        assertThat(script.state().ownedBy(1)).isZero();
        assertThat(script.state().ownedBy(2)).isIn(4, 5);
        assertThat(script.image().writersUnderRecovery()).containsExactly(new Writer(1, first));
        for (long id : mine) {
            StreamState stream = stream(id);
            assertThat(stream.epoch()).isEqualTo(2);
            assertThat(stream.preferredNodeId()).isEqualTo(1);
            assertThat(stream.writers()).containsExactly(new Writer(1, first));
        }
        long id = mine.get(0);
        int owner = stream(id).ownerNodeId();
        long ownerEpoch = script.node(owner).epoch();
        Command.OpenStreams open = new Command.OpenStreams(owner, ownerEpoch, List.of(new Claim(id, 5)));
        assertThat(script.doneWithoutEffect(open)).isEmpty();
        script.done(new Command.SealExtent(extent, script.extent(extent).epoch(), 7, stores(2, 3)));
        assertThat(script.done(open)).containsEntry(id, 3);
        // Its unflushed frames are still where they were written
        assertThat(stream(id).writers()).containsExactly(new Writer(1, first), new Writer(owner, ownerEpoch));
        assertThat(script.image().writersUnderRecovery()).isEmpty();
    }

    @Test
    void aStreamWaitsForAllItsDeadWritersNotJustTheLast() {
        script.createTopic("t", 3);
        long id = streamOf(1);
        script.done(new Command.OpenStreams(1, first, List.of(new Claim(id, 0))));
        long oldest = script.done(new Command.CreateExtent(1, first, 1)).extentId();
        script.done(new Command.MoveStreams(List.of(new Command.Move(id, 2)), false));
        script.done(new Command.ResignStreams(1, first, List.of(new Command.Resignation(id, 4, oldest, 0, 10))));
        long newer = script.done(new Command.CreateExtent(2, second, 1)).extentId();
        script.done(new Command.FenceNode(1, first));
        script.done(new Command.FenceNode(2, second));
        assertThat(stream(id).ownerNodeId()).isEqualTo(3);

        Command.OpenStreams open = new Command.OpenStreams(3, third, List.of(new Claim(id, 9)));
        script.done(new Command.SealExtent(newer, script.extent(newer).epoch(), 7, stores(3)));
        assertThat(script.doneWithoutEffect(open)).isEmpty();
        script.done(new Command.SealExtent(oldest, script.extent(oldest).epoch(), 7, stores(3)));
        assertThat(script.done(open)).containsKey(id);
    }

    @Test
    void whoHoldsTheUnflushedExtentsIsPreferredAsOwner() {
        script.replicas(2, 2);
        long epoch = script.register(4, "store-4", "zone-1");
        script.createTopic("t", 8);
        List<Long> mine = new ArrayList<>();
        script.state().streams().values().forEach(stream -> {
            if (stream.ownerNodeId() == 4) {
                mine.add(stream.streamId());
            }
        });
        script.done(new Command.OpenStreams(
                4, epoch, mine.stream().map(id -> new Claim(id, 0)).toList()));
        ExtentState extent = script.done(new Command.CreateExtent(4, epoch, 1));
        int holder = extent.ensemble().get(1).nodeId();
        script.done(new Command.FenceNode(4, epoch));
        assertThat(stream(mine.get(0)).ownerNodeId()).isEqualTo(holder);
    }

    @Test
    void allStreamsOfADeadNodeGetOwnersInOneStep() {
        script.done(new Command.FenceNode(2, second));
        script.done(new Command.FenceNode(3, third));
        script.createTopic("a", 6_000);
        script.createTopic("b", 6_000);
        script.register(2);
        assertThat(script.state().ownedBy(1)).isEqualTo(12_000);

        script.done(new Command.FenceNode(1, first));
        assertThat(script.state().ownedBy(1)).isZero();
    }

    /** It never was fenced: the whole cluster was without power. */
    @Test
    void aNodeThatComesBackWithoutTheBrokersRoleKeepsNoStreams() {
        script.createTopic("t", 6);
        assertThat(script.state().ownedBy(1)).isPositive();
        script.done(new Command.RegisterNode(
                1, "store-1", List.of(), "zone-1", List.of("wal", "controller"), Uuid.randomUuid()));
        assertThat(script.state().ownedBy(1)).isZero();
        assertThat(script.state().ownedBy(2)).isEqualTo(3);
    }

    @Test
    void withoutAnotherBrokerTheStreamsStayUntilOneComes() {
        script.done(new Command.FenceNode(2, second));
        script.done(new Command.FenceNode(3, third));
        script.createTopic("t", 2);
        script.done(new Command.FenceNode(1, first));
        assertThat(script.state().ownedBy(1)).isEqualTo(2);
        script.register(3);
        assertThat(script.state().ownedBy(3)).isEqualTo(2);
    }

    // ---- tasks

    @Test
    void aDeadNodesSealedExtentIsFlushedByAHolderThatHasTheTask() {
        long id = script.sealedExtent(first, 7);
        upkeep(Observed.NOTHING);
        assertThat(script.state().tasks()).isEmpty();
        script.done(new Command.FenceNode(1, first));
        upkeep(Observed.NOTHING);
        TaskState task = script.state().task(Kind.FLUSH, id).orElseThrow();
        int other = 5 - task.nodeId();
        assertThat(task.nodeEpoch()).isEqualTo(script.node(task.nodeId()).epoch());

        script.refused(
                Reason.NOT_YET,
                new Command.PublishFlush(other, script.node(other).epoch(), id, -1, 0, List.of(), List.of()));
        script.done(new Command.PublishFlush(task.nodeId(), task.nodeEpoch(), id, -1, 0, List.of(), List.of()));
        assertThat(script.extent(id).phase()).isEqualTo(Phase.FLUSHED);
        assertThat(script.state().tasks()).isEmpty();
        script.doneWithoutEffect(
                new Command.PublishFlush(other, script.node(other).epoch(), id, -1, 0, List.of(), List.of()));
    }

    @Test
    void aTaskGoesToAnotherWhenItsNodeDiesOrDoesNotGetOn() {
        long id = script.sealedExtent(first, 7);
        script.done(new Command.FenceNode(1, first));
        upkeep(Observed.NOTHING);
        int holder = script.state().task(Kind.FLUSH, id).orElseThrow().nodeId();
        int other = 5 - holder;
        upkeep(new Observed(Set.of(), Set.of(new TaskKey(Kind.FLUSH, id)), Set.of(), Set.of()));
        assertThat(script.state().task(Kind.FLUSH, id).orElseThrow().nodeId()).isEqualTo(other);
        script.done(new Command.FenceNode(other, script.node(other).epoch()));
        upkeep(Observed.NOTHING);
        assertThat(script.state().task(Kind.FLUSH, id).orElseThrow().nodeId()).isEqualTo(holder);
    }

    @Test
    void theTaskEndsWhenTheWriterIsBackWithItsStore() {
        long id = script.sealedExtent(first, 7);
        script.done(new Command.FenceNode(1, first));
        upkeep(Observed.NOTHING);
        assertThat(script.state().task(Kind.FLUSH, id)).isPresent();
        long again = script.register(1);
        upkeep(Observed.NOTHING);
        assertThat(script.state().tasks()).isEmpty();
        script.done(new Command.PublishFlush(1, again, id, -1, 0, List.of(), List.of()));
    }

    @Test
    void anExtentThatLacksHoldersIsRepairedAfterAWhile() {
        script.register(4);
        ExtentState extent = script.done(new Command.CreateExtent(1, first, 1));
        long id = extent.extentId();
        script.done(new Command.SealExtent(id, first, 7, extent.ensemble()));
        int lost = extent.ensemble().get(1).nodeId();
        script.done(new Command.FenceNode(lost, script.node(lost).epoch()));
        assertThat(Shortage.lacksHolders(script.state(), script.extent(id))).isTrue();
        upkeep(Observed.NOTHING);
        assertThat(script.state().tasks()).isEmpty();

        upkeep(new Observed(Set.of(), Set.of(), Set.of(id), Set.of()));
        TaskState task = script.state().task(Kind.REPAIR, id).orElseThrow();
        assertThat(extent.ensemble().stream().map(Store::nodeId)).doesNotContain(task.nodeId());
        Store target = new Store(task.nodeId(), "store-" + task.nodeId());
        script.refused(
                Reason.INVALID,
                new Command.AddHolder(task.nodeId(), task.nodeEpoch(), id, new Store(task.nodeId(), "another")));
        script.done(new Command.AddHolder(task.nodeId(), task.nodeEpoch(), id, target));
        assertThat(script.extent(id).holders()).contains(target).hasSize(4);
        assertThat(script.state().tasks()).isEmpty();
        script.doneWithoutEffect(new Command.AddHolder(task.nodeId(), task.nodeEpoch(), id, target));
        upkeep(new Observed(Set.of(), Set.of(), Set.of(id), Set.of()));
        assertThat(script.state().tasks()).isEmpty();
    }

    @Test
    void aRepairThatItsNodeCannotDoGoesToAnother() {
        script.register(4);
        script.register(5);
        ExtentState extent = script.done(new Command.CreateExtent(1, first, 1));
        long id = extent.extentId();
        script.done(new Command.SealExtent(id, first, 7, extent.ensemble()));
        int lost = extent.ensemble().get(1).nodeId();
        script.done(new Command.FenceNode(lost, script.node(lost).epoch()));
        upkeep(new Observed(Set.of(), Set.of(), Set.of(id), Set.of()));
        int stuck = script.state().task(Kind.REPAIR, id).orElseThrow().nodeId();
        upkeep(new Observed(Set.of(), Set.of(new TaskKey(Kind.REPAIR, id)), Set.of(id), Set.of()));
        int next = script.state().task(Kind.REPAIR, id).orElseThrow().nodeId();
        assertThat(next).isNotEqualTo(stuck);
        assertThat(extent.ensemble().stream().map(Store::nodeId)).doesNotContain(next);
        // With nobody else left it stays
        script.done(new Command.FenceNode(stuck, script.node(stuck).epoch()));
        upkeep(new Observed(Set.of(), Set.of(new TaskKey(Kind.REPAIR, id)), Set.of(id), Set.of()));
        assertThat(script.state().task(Kind.REPAIR, id).orElseThrow().nodeId()).isEqualTo(next);
    }

    @Test
    void aLostDiskMayHaveHeldMoreCopiesThanOneBatchCanTell() {
        String former = new UUID(2, 2).toString();
        String other = new UUID(3, 3).toString();
        script.register(2, former, "zone-2");
        script.register(3, other, "zone-3");
        List<Store> holders = List.of(new Store(2, former), new Store(3, other));
        List<Store> ensemble = List.of(new Store(1, new UUID(1, 1).toString()), holders.get(0), holders.get(1));
        List<LogRecord> extents = new ArrayList<>();
        for (int id = 1; id <= 25_000; id++) {
            Phase phase = id % 2 == 0 ? Phase.FLUSHED : Phase.SEALED;
            extents.add(LogRecord.own(Record.newBuilder()
                    .setExtent(Protos.extent(
                            new ExtentState(id, 1, first, first, 1, ensemble, 2, phase, 64 << 20, holders)))));
        }
        script.replay(extents);

        Command.RegisterNode replaced = new Command.RegisterNode(
                2,
                new UUID(2, 4).toString(),
                List.of(new Endpoint("PLAINTEXT", "host", 9092)),
                "zone-2",
                List.of("broker", "wal"),
                Uuid.randomUuid());
        Decision<Command.NodeEpoch> decision = CommandRules.decide(replaced, script.state(), script.conditions());
        assertThat(((Decision.Accepted<Command.NodeEpoch>) decision)
                        .records().stream()
                                .mapToLong(record ->
                                        LogRecordSerde.INSTANCE.recordSize(record, new ObjectSerializationCache()))
                                .sum())
                .isLessThan(ReplicatedLog.BATCH_BYTES_MAX / 2);

        script.done(replaced);
        for (int look = 0; look < 4; look++) {
            upkeep(Observed.NOTHING);
        }
        assertThat(script.state().extents().values()).hasSize(25_000).allSatisfy(extent -> assertThat(extent.holders())
                .containsExactly(holders.get(1)));
    }

    /** Node 2 lost its disk while nobody else had the extent; then another holder came back and the extent was flushed. */
    @Test
    void aLostDisksCopyOfWhatIsFlushedLaterDoesNotStayInTheRecordsForEver() {
        ExtentState open = script.done(new Command.CreateExtent(1, first, 1));
        long id = open.extentId();
        script.done(new Command.SealExtent(id, first, 7, stores(1, 2)));
        script.done(new Command.FenceNode(1, first));
        script.register(2, "empty", "zone-2");
        long again = script.register(1);
        script.done(new Command.PublishFlush(1, again, id, -1, 0, List.of(), List.of()));
        script.done(new Command.ReleaseExtent(id, stores(1)));
        assertThat(script.extent(id).holders()).containsExactlyElementsOf(stores(2));

        upkeep(Observed.NOTHING);
        assertThat(script.state().extents()).doesNotContainKey(id);
    }

    @Test
    void aRemovedNodeTakesItsCopiesWithIt() {
        long flushed = script.sealedExtent(first, 7);
        long sealed = script.sealedExtent(first, 7);
        script.done(new Command.PublishFlush(1, first, flushed, -1, 0, List.of(), List.of()));
        script.refused(Reason.NOT_YET, new Command.RemoveNode(3));
        script.done(new Command.DrainNode(3, true));
        script.done(new Command.UnregisterNode(3, third));
        script.done(new Command.RemoveNode(3));
        assertThat(script.state().nodes()).doesNotContainKey(3);
        assertThat(script.extent(flushed).holders()).containsExactlyInAnyOrderElementsOf(stores(1, 2));
        assertThat(script.extent(sealed).holders()).containsExactlyInAnyOrderElementsOf(stores(1, 2));
        script.doneWithoutEffect(new Command.RemoveNode(3));
    }

    /** Of three stores two are left, which are enough: the writer needs no other, and need not wait. */
    @Test
    void aDrainedNodeIsInNoFurtherEnsembleAndGoesOnceTheOthersHaveSealedWhatWasThere() {
        long before = script.done(new Command.CreateExtent(1, first, 1)).extentId();
        assertThat(script.extent(before).ensemble()).containsExactlyInAnyOrderElementsOf(stores(1, 2, 3));
        script.done(new Command.DrainNode(3, true));
        long next = script.done(new Command.CreateExtent(1, first, 1)).extentId();
        assertThat(script.extent(next).ensemble()).containsExactlyInAnyOrderElementsOf(stores(1, 2));

        script.done(new Command.UnregisterNode(3, third));
        script.refused(Reason.NOT_YET, new Command.RemoveNode(3));
        script.done(new Command.SealExtent(before, first, 7, stores(1, 2, 3)));
        script.done(new Command.RemoveNode(3));
        assertThat(script.state().nodes()).doesNotContainKey(3);
    }

    /** Node 2 may have started without its disk mounted, while what node 1 had is lost for good. */
    @Test
    void anotherDiskTakesNoCopyThatIsNotHeldByALiveStoreToo() {
        ExtentState open = script.done(new Command.CreateExtent(1, first, 1));
        long id = open.extentId();
        script.done(new Command.SealExtent(id, first, 7, stores(1, 2)));
        script.done(new Command.FenceNode(1, first));
        script.register(2, "not-mounted", "zone-2");
        assertThat(script.extent(id).holders()).containsExactlyInAnyOrderElementsOf(stores(1, 2));

        script.register(2);
        assertThat(script.extent(id).holders()).containsExactlyInAnyOrderElementsOf(stores(1, 2));

        script.register(1);
        script.register(2, "not-mounted", "zone-2");
        assertThat(script.extent(id).holders()).containsExactlyElementsOf(stores(1));
    }

    @Test
    void aNodeWhoseDiskWasReplacedMayHoldWhatTheFormerOneHadAgain() {
        ExtentState open = script.done(new Command.CreateExtent(1, first, 1));
        long id = open.extentId();
        script.done(new Command.SealExtent(id, first, 7, stores(1, 2)));
        script.done(new Command.FenceNode(1, first));
        long replaced = script.register(2, "empty", "zone-2");
        script.done(new Command.FenceNode(3, third));
        script.register(1);
        upkeep(new Observed(Set.of(), Set.of(), Set.of(id), Set.of()));
        assertThat(script.state().task(Kind.REPAIR, id).orElseThrow().nodeId()).isEqualTo(2);
        script.done(new Command.AddHolder(2, replaced, id, new Store(2, "empty")));
        assertThat(script.extent(id).holders()).contains(new Store(2, "empty"));
    }

    @Test
    void aNodeIsNotRemovedWhileOtherCopiesOfWhatItHoldsAreOnDeadNodesOnly() {
        ExtentState open = script.done(new Command.CreateExtent(1, first, 1));
        script.done(new Command.SealExtent(open.extentId(), first, 7, stores(2, 3)));
        script.done(new Command.UnregisterNode(2, second));
        script.done(new Command.UnregisterNode(3, third));
        script.refused(Reason.NOT_YET, new Command.RemoveNode(3));
        script.register(2);
        script.done(new Command.RemoveNode(3));
        assertThat(script.extent(open.extentId()).holders()).containsExactlyElementsOf(stores(2));
    }

    private void upkeep(Observed observed) {
        script.upkeep(observed);
    }

    private StreamState stream(long id) {
        return Objects.requireNonNull(script.state().streams().get(id));
    }

    private long streamOf(int owner) {
        return script.state().streams().values().stream()
                .filter(stream -> stream.ownerNodeId() == owner)
                .mapToLong(StreamState::streamId)
                .min()
                .orElseThrow();
    }

    private static List<Store> stores(int... nodes) {
        List<Store> stores = new ArrayList<>();
        for (int node : nodes) {
            stores.add(new Store(node, "store-" + node));
        }
        return stores;
    }
}
