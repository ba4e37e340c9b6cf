package io.catchment.broker.flush;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RuledControlPlane.Fate;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Store;
import io.catchment.controlplane.TaskState;
import io.catchment.controlplane.command.Observed;
import io.catchment.controlplane.state.ClusterState.TaskKey;
import io.catchment.wal.Lane;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What node 1 flushes of extents that nodes 2 and 3 wrote and that it holds. */
class TakeoverFlushTest {
    private static final Store ONE = new Store(FlushWorld.NODE, FlushWorld.STORE_ID);
    private static final Store TWO = new Store(2, "disk-2");
    private static final Store THREE = new Store(3, "disk-3");

    private final FlushWorld world = new FlushWorld(FlushWorld.SETTINGS.withHotBytes(0), 1);
    private long epochOfTwo;
    private List<Long> streams;

    @BeforeEach
    void threeNodes() {
        epochOfTwo = register(TWO);
        register(THREE);
        world.control.replicas(3, 2);
        streams = world.topic("t", 4);
        world.start();
    }

    @AfterEach
    void theInvariantsHold() {
        world.invariants.publishedObjectsAreCompleteAndVerified();
        world.invariants.everyObjectIsKnown();
        assertThat(world.wal.bytesInMemory()).as("loaded extents are released").isZero();
    }

    private long register(Store store) {
        return world.control
                .now(new Command.RegisterNode(
                        store.nodeId(),
                        store.storeId(),
                        List.of(new Endpoint("PLAINTEXT", "host", 9092)),
                        "zone",
                        List.of("broker", "wal"),
                        Uuid.randomUuid()))
                .epoch();
    }

    private long openOfTwo() {
        long id = world.control
                .now(new Command.CreateExtent(2, epochOfTwo, Lane.NORMAL.id()))
                .extentId();
        world.wal.create(id);
        return id;
    }

    private long sealedOfTwo(long stream, Store... holders) {
        long id = openOfTwo();
        world.append(id, stream, 3, 100);
        return sealOfTwo(id, holders);
    }

    private long sealOfTwo(long id, Store... holders) {
        world.wal.settleNow(id);
        world.control.now(new Command.SealExtent(id, epochOfTwo, world.wal.fileLength(id), List.of(holders)));
        return id;
    }

    /** What the controllers do when they notice. */
    private void twoDies() {
        world.control.now(new Command.FenceNode(2, epochOfTwo));
        world.control.upkeep();
    }

    private ExtentState extent(long id) {
        return world.control.image().extent(id).orElseThrow();
    }

    private boolean isGivenTo(long id, int node) {
        return world.control.image().tasks().stream()
                .anyMatch(
                        task -> task.kind() == TaskState.Kind.FLUSH && task.extentId() == id && task.nodeId() == node);
    }

    @Test
    void extentsOfAWriterThatLivesAreItsOwn() {
        sealedOfTwo(streams.get(0), ONE, TWO);
        world.time.pass(60_000);
        assertThat(world.control.submitted(Command.PublishFlush.class)).isEmpty();
        assertThat(world.store.putKeys).isEmpty();
        assertThat(world.flusher.stats().unflushedExtents()).isZero();
        assertThat(world.flusher.workedOn()).isEmpty();
    }

    /** This node's disk stood still when the extent was sealed: all of it is here, and not known to be. */
    @Test
    void whatWasSealedWithoutItsWritersCopyIsLeftToTheHolders() {
        long id = world.openExtent(Lane.NORMAL);
        world.append(id, streams.get(0), 3, 100);
        world.control.now(new Command.SealExtent(id, world.nodeEpoch, world.wal.fileLength(id), List.of(TWO, THREE)));
        world.control.upkeep();
        assertThat(isGivenTo(id, 2) || isGivenTo(id, 3)).isTrue();
        world.time.pass(60_000);
        assertThat(world.store.putKeys).isEmpty();
        assertThat(world.flusher.stats().stuckExtents()).isZero();
        assertThat(world.flusher.stats().unflushedExtents()).isZero();
    }

    @Test
    void aDeadWritersExtentIsFlushedByTheHolderThatHasTheTask() {
        long id = sealedOfTwo(streams.get(0), ONE, TWO);
        world.store.down(true);
        twoDies();
        world.time.pass(2_000);
        assertThat(world.flusher.workedOn()).containsExactly(id);
        assertThat(world.flusher.stats().unflushedExtents()).isEqualTo(1);
        world.store.down(false);
        world.time.passUntil(() -> world.flushed(id), 20_000);
        world.time.pass(1_000);
        assertThat(world.flusher.workedOn()).isEmpty();
        assertThat(world.flusher.stats().unflushedExtents()).isZero();
        assertThat(world.control.image().stream(streams.get(0)).orElseThrow().catalogEndOffset())
                .isEqualTo(3);
    }

    @Test
    void eachHolderReleasesItsOwnCopyOnly() {
        long id = sealedOfTwo(streams.get(0), ONE, TWO);
        twoDies();
        world.time.pass(5_000);
        assertThat(extent(id).phase()).isEqualTo(ExtentState.Phase.FLUSHED);
        assertThat(extent(id).holders()).containsExactly(TWO);
        assertThat(world.wal.extents()).doesNotContain(id);
    }

    @Test
    void aTaskThatAnotherGetsIsLeftToIt() {
        long first = sealedOfTwo(streams.get(0), ONE, TWO, THREE);
        long second = sealedOfTwo(streams.get(0), ONE, TWO, THREE);
        world.wal.loadFault(extent -> extent == first ? new IOException("injected EIO") : null);
        // Of two that hold it, the controllers may choose the other one.
        twoDies();
        for (long id : List.of(first, second)) {
            if (!isGivenTo(id, 1)) {
                stuck(id);
            }
            assertThat(isGivenTo(id, 1)).isTrue();
        }
        world.time.pass(10_000);
        assertThat(world.flusher.workedOn())
                .as("not the one that cannot be read")
                .containsExactly(second);
        assertThat(world.store.putKeys).as("the second one waits for its turn").hasSize(1);

        stuck(first, second);
        assertThat(isGivenTo(second, 1)).isFalse();
        int submitted = world.control.submitted(Command.PublishFlush.class).size();
        world.time.pass(60_000);
        assertThat(world.control.submitted(Command.PublishFlush.class)).hasSize(submitted);
        assertThat(world.flusher.workedOn()).isEmpty();
        assertThat(world.flusher.stats().unflushedExtents()).isZero();
    }

    @Test
    void aTaskWhoseExtentTheDiskDoesNotGiveIsNotClaimedForEver() {
        long id = sealedOfTwo(streams.get(0), ONE, TWO, THREE);
        world.wal.loadMs(900_000);
        twoDies();
        assertThat(isGivenTo(id, 1)).isTrue();
        world.time.pass(590_000);
        assertThat(world.flusher.workedOn()).containsExactly(id);
        world.time.pass(20_000);
        assertThat(world.flusher.workedOn()).as("another holder may try").isEmpty();
        stuck(id);
        assertThat(isGivenTo(id, 3)).isTrue();

        world.time.pass(400_000);
        assertThat(world.store.putKeys).as("the disk has given it").hasSize(1);
        assertThat(world.control.submitted(Command.PublishFlush.class))
                .as("not its task any more")
                .isEmpty();
        world.wal.loadMs(0);
        stuck(id);
        assertThat(isGivenTo(id, 1)).isTrue();
        world.time.passUntil(() -> world.flushed(id), 20_000);
        assertThat(world.control.image().stream(streams.get(0)).orElseThrow().catalogEndOffset())
                .isEqualTo(3);
    }

    @Test
    void norAreThoseThatWaitForItsPlace() {
        List<Long> given =
                streams.stream().map(stream -> sealedOfTwo(stream, ONE, TWO)).toList();
        assertThat(given).hasSizeGreaterThan(FlushWorld.SETTINGS.concurrency());
        world.wal.loadMs(900_000);
        twoDies();
        world.time.pass(590_000);
        assertThat(world.flusher.workedOn()).containsExactlyInAnyOrderElementsOf(given);
        world.time.pass(20_000);
        assertThat(world.flusher.workedOn()).isEmpty();
        world.time.pass(300_000);
        assertThat(world.flusher.workedOn()).as("the disk works again").isNotEmpty();
        world.wal.loadMs(0);
        world.time.pass(1_000_000);
        assertThat(given).allMatch(world::flushed);
    }

    /** As in the read of an index. */
    @Test
    void aFlushLoopThatStandsStillClaimsNothingForEver() {
        long id = sealedOfTwo(streams.get(0), ONE, TWO);
        world.store.down(true);
        twoDies();
        world.time.pass(2_000);
        world.process.crash();
        world.time.pass(590_000);
        assertThat(world.flusher.workedOn()).containsExactly(id);
        world.time.pass(20_000);
        assertThat(world.flusher.workedOn()).isEmpty();
    }

    private void stuck(long... extents) {
        for (long id : extents) {
            world.control.upkeep(
                    new Observed(Set.of(), Set.of(new TaskKey(TaskState.Kind.FLUSH, id)), Set.of(), Set.of()));
        }
    }

    @Test
    void aRecoveredExtentWithNothingButNoOpsIsPublishedWithoutAnObject() {
        long id = openOfTwo();
        world.noop(id);
        world.noop(id);
        sealOfTwo(id, ONE, TWO);
        assertThat(extent(id).length()).isPositive();
        twoDies();
        world.time.pass(1_000);
        assertThat(world.flushed(id)).isTrue();
        assertThat(world.store.putKeys).isEmpty();
        assertThat(world.flusher.stats().stuckExtents()).isZero();
    }

    @Test
    void aTaskOfUnknownEndIsEndedBySendingItAgain() {
        world.control.fate(command -> command instanceof Command.PublishFlush ? Fate.UNCERTAIN_DONE : Fate.DONE);
        long id = sealedOfTwo(streams.get(0), ONE, TWO);
        twoDies();
        world.time.pass(5_000);
        assertThat(world.flushed(id)).isTrue();
        world.control.fate(command -> Fate.DONE);
        world.time.pass(30_000);
        assertThat(world.store.putKeys).hasSize(1);
        assertThat(world.flusher.workedOn()).isEmpty();
    }
}
