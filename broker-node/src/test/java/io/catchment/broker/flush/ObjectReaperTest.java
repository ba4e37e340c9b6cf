package io.catchment.broker.flush;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RuledControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.ObjectState;
import io.catchment.wal.Lane;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Doomed objects go, in their time, from the store and then from the state (O3). */
class ObjectReaperTest {
    private final FlushWorld world = new FlushWorld();
    private final List<Long> kept = world.topic("kept", 1);

    @AfterEach
    void nothingLeaks() {
        world.invariants.hold();
        world.invariants.nothingLeaked();
    }

    /** Published objects of a topic that is then deleted. */
    private void doom(int objects) {
        List<Long> doomed = world.topic("doomed", 1);
        world.sealed(Lane.NORMAL, 100, kept.get(0));
        for (int i = 0; i < objects; i++) {
            world.sealed(Lane.NORMAL, 100, doomed.get(0));
        }
        world.start();
        world.deleteTopic("doomed");
        assertThat(phases(ObjectState.Phase.DOOMED)).isEqualTo(objects);
        assertThat(world.store.objects).hasSize(objects + 1);
    }

    private long phases(ObjectState.Phase phase) {
        return world.control.image().objects().stream()
                .filter(object -> object.phase() == phase)
                .count();
    }

    @Test
    void readersUnderWayHaveTheirTimeWhateverTheWallClockDoes() {
        doom(3);
        world.time.pass(1_000);
        world.time.jumpWallClock(TimeUnit.DAYS.toMillis(30));
        world.time.pass(world.settings.reapGraceMs() - 2_000);
        assertThat(world.store.objects).hasSize(4);
        assertThat(world.flusher.stats().doomedObjects()).isEqualTo(3);
        world.time.pass(3_000);
        assertThat(world.store.objects).hasSize(1);
        assertThat(world.metrics.reaped).isEqualTo(3);
        assertThat(world.control.submitted(Command.ForgetObjects.class)).hasSize(1);
    }

    @Test
    void aStoreThatIsDownIsAskedWithGrowingPausesUntilItIsBack() {
        doom(3);
        int[] deletes = {0};
        world.store.deletes(() -> {
            deletes[0]++;
            return FaultyStore.Fate.FAILED;
        });
        world.time.pass(TimeUnit.HOURS.toMillis(1));
        assertThat(deletes[0]).isBetween(200, 600);
        assertThat(phases(ObjectState.Phase.DOOMED)).isEqualTo(3);
        assertThat(world.control.submitted(Command.ForgetObjects.class))
                .as("not forgotten before it is deleted (O3)")
                .isEmpty();
        world.store.down(false);
        world.time.pass(17_000);
        assertThat(world.store.objects).hasSize(1);
    }

    @Test
    void aCrashBetweenDeletingAndForgettingLeavesNothing() {
        doom(3);
        world.control.fate(command ->
                command instanceof Command.ForgetObjects ? RuledControlPlane.Fate.HELD : RuledControlPlane.Fate.DONE);
        world.time.pass(world.settings.reapGraceMs() + 2_000);
        assertThat(world.store.objects).hasSize(1);
        assertThat(phases(ObjectState.Phase.DOOMED)).isEqualTo(3);
        world.crash();
        world.control.fate(command -> RuledControlPlane.Fate.DONE);
        world.time.pass(world.settings.reapGraceMs() + 2_000);
        assertThat(phases(ObjectState.Phase.DOOMED)).isZero();
        world.control.release();
        world.time.settle();
    }

    @Test
    void forgettingThatIsNotAnsweredIsTriedAgain() {
        doom(3);
        int[] forgets = {0};
        world.control.fate(command -> command instanceof Command.ForgetObjects && forgets[0]++ < 3
                ? RuledControlPlane.Fate.values()[forgets[0]]
                : RuledControlPlane.Fate.DONE);
        world.time.pass(world.settings.reapGraceMs() + 20_000);
        assertThat(phases(ObjectState.Phase.DOOMED)).isZero();
        assertThat(forgets[0]).isBetween(2, 5);
    }

    @Test
    void manyGoInBatchesOfBoundedSize() {
        // More than one batch, without an upload for each: ids that were never used expire
        for (int i = 0; i < 12; i++) {
            world.control.now(new Command.PrepareObjects(FlushWorld.NODE, world.nodeEpoch, 100, 1_000));
        }
        world.start();
        world.time.pass(2_000);
        world.control.upkeep();
        world.control.upkeep();
        world.time.pass(world.settings.reapGraceMs() + 2_000);
        assertThat(world.control.image().objects()).isEmpty();
        assertThat(world.control.submitted(Command.ForgetObjects.class))
                .extracting(forget -> forget.objectIds().size())
                .containsExactly(500, 500, 200);
    }

    @Test
    void noSnapshotThatIsKeptMayHaveItAsPublished() {
        world.horizon = ReapHorizon.NOTHING;
        doom(2);
        long before = world.control.image().offset();
        world.time.pass(1_000);
        long doomedAt = world.control.image().offset();
        world.time.pass(TimeUnit.HOURS.toMillis(1));
        world.horizon = before - 1;
        world.time.pass(TimeUnit.HOURS.toMillis(1));
        assertThat(world.store.objects).hasSize(3);
        world.horizon = doomedAt;
        world.time.pass(2_000);
        assertThat(world.store.objects).hasSize(1);
        assertThat(phases(ObjectState.Phase.DOOMED)).isZero();
    }

    @Test
    void whileTheSnapshotsCannotBeListedNothingIsDeletedAndTheStoreIsAskedWithGrowingPauses() {
        world.horizonFails = true;
        doom(2);
        world.time.pass(TimeUnit.HOURS.toMillis(1));
        assertThat(world.store.objects).hasSize(3);
        assertThat(world.horizonsAsked).isBetween(200, 600);
        world.horizonFails = false;
        world.time.pass(17_000);
        assertThat(world.store.objects).hasSize(1);
    }

    @Test
    void onlyTheLiveNodeWithTheLowestIdDoesIt() {
        long epoch = world.control
                .now(new Command.RegisterNode(
                        0,
                        "other",
                        List.of(new Endpoint("PLAINTEXT", "host", 9093)),
                        "zone",
                        List.of("broker", "wal"),
                        Uuid.randomUuid()))
                .epoch();
        doom(3);
        world.time.pass(world.settings.reapGraceMs() * 2);
        assertThat(world.store.objects).hasSize(4);
        world.control.now(new Command.UnregisterNode(0, epoch));
        world.time.pass(2_000);
        assertThat(world.store.objects).hasSize(1);
    }
}
