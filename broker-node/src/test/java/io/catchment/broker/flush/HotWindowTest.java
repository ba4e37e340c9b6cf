package io.catchment.broker.flush;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.flush.FlushMetrics.Stage;
import io.catchment.broker.testing.RuledControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.wal.Lane;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Flushed extents stay on the local disk as long as there is room; W5 is checked at each deletion. */
class HotWindowTest {
    private static final int VALUE_BYTES = 10_000;

    private FlushWorld world = new FlushWorld();
    private List<Long> streams = world.topic("t", 2);
    private long extentBytes;

    @AfterEach
    void theInvariantsHold() {
        world.invariants.hold();
    }

    private List<Long> flushed(FlushSettings settings, int extents) {
        world = new FlushWorld(settings, 1);
        streams = world.topic("t", 2);
        List<Long> ids = new ArrayList<>();
        for (int i = 0; i < extents; i++) {
            ids.add(world.sealed(Lane.NORMAL, VALUE_BYTES, streams.get(i % 2)));
        }
        extentBytes = world.wal.fileLength(ids.get(0));
        return ids;
    }

    @Test
    void theOldestGoWhenTheWindowIsFull() {
        List<Long> ids = flushed(FlushWorld.SETTINGS.withHotBytes(4 * 31_000), 10);
        world.start();
        assertThat(world.allFlushed()).isTrue();
        assertThat(world.wal.extents()).isEqualTo(ids.subList(6, 10));
        assertThat(world.control.image().extents()).hasSize(4);
        assertThat(world.metrics.deleted).isEqualTo(6);
        world.time.pass(1_000);
        assertThat(world.flusher.stats().hotBytes()).isEqualTo(world.wal.bytesHeld());
    }

    @Test
    void nothingGoesWhileThereIsRoom() {
        List<Long> ids = flushed(FlushWorld.SETTINGS.withHotBytes(1 << 30), 10);
        world.start();
        world.time.pass(60_000);
        assertThat(world.wal.extents()).isEqualTo(ids);
        assertThat(world.metrics.deleted).isZero();
    }

    @Test
    void aFullDiskTakesTheWindowsRoomButNeverWhatIsNotFlushed() {
        List<Long> ids = flushed(FlushWorld.SETTINGS.withHotBytes(1 << 30).withDiskLowBytes(100_000), 10);
        world.start();
        world.store.down(true);
        long unflushed = world.sealed(Lane.NORMAL, VALUE_BYTES, streams.get(0));
        // 50 kB are missing: two extents
        world.wal.diskBytes(world.wal.bytesHeld() + 50_000);
        world.time.pass(2_000);
        assertThat(world.wal.extents()).startsWith(ids.get(2)).hasSize(9);

        world.wal.diskBytes(0);
        world.time.pass(10_000);
        assertThat(world.wal.extents()).as("W5").containsExactly(unflushed);
        world.store.down(false);
        world.time.pass(20_000);
        assertThat(world.wal.extents()).isEmpty();
        assertThat(world.control.image().extents()).isEmpty();
    }

    @Test
    void aDeletionThatFailsIsTriedAgainAndKeepsTheHolderUntilThen() {
        List<Long> ids = flushed(FlushWorld.SETTINGS.withHotBytes(0), 3);
        world.wal.deleteFault(extent -> new IOException("injected"));
        world.start();
        world.time.pass(20_000);
        assertThat(world.wal.extents()).isEqualTo(ids);
        assertThat(world.control.image().extents()).hasSize(3);
        assertThat(world.metrics.failures(Stage.DELETE)).isBetween(3, 30);
        world.wal.deleteFault(extent -> null);
        world.time.pass(6_000);
        assertThat(world.wal.extents()).isEmpty();
        assertThat(world.control.image().extents()).isEmpty();
    }

    @Test
    void aReleaseThatIsNotAnsweredIsSentAgain() {
        flushed(FlushWorld.SETTINGS.withHotBytes(0), 3);
        int[] releases = {0};
        world.control.fate(command -> command instanceof Command.ReleaseExtent && releases[0]++ < 4
                ? RuledControlPlane.Fate.values()[1 + releases[0] % 3]
                : RuledControlPlane.Fate.DONE);
        world.start();
        world.time.pass(30_000);
        assertThat(world.wal.extents()).isEmpty();
        assertThat(world.control.image().extents()).isEmpty();
    }

    @Test
    void anExtentThatIsGoneFromTheDiskIsReleasedWithoutADeletion() {
        List<Long> ids = flushed(FlushWorld.SETTINGS.withHotBytes(1 << 30), 3);
        world.start();
        world.wal.lose(ids.get(1));
        world.wal.beforeDelete(extent -> {
            throw new AssertionError("deleted " + extent);
        });
        world.time.pass(2_000);
        assertThat(world.control.image().extent(ids.get(1))).isEmpty();
        assertThat(world.control.image().extents()).hasSize(2);
    }
}
