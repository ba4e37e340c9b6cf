package io.catchment.broker.flush;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.ObjectState;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.wal.Lane;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** O3: what gets into the store when its id is forgotten already is deleted by whoever sent it, whatever it was sent for. */
class LateObjectsTest {
    private static final long ZOMBIE_MS = TimeUnit.MINUTES.toMillis(10);

    private final FlushWorld world = new FlushWorld();
    private final long stream = world.topic("t", 1).get(0);

    @Test
    void aMergedObjectWhoseUploadEndedTooLateIsDeleted() {
        flushed(4, 100);
        world.store.puts(() -> FaultyStore.Fate.HELD);
        world.rewrites.start();
        endsTooLate();
        assertThat(world.merges).isPositive();
    }

    @Test
    void aManifestWhoseUploadEndedTooLateIsDeleted() {
        flushed(4, 2_000);
        world.store.puts(() -> FaultyStore.Fate.HELD);
        world.manifests.start();
        endsTooLate();
        world.time.pass(TimeUnit.MINUTES.toMillis(11));
        assertThat(world.moves).isPositive();
    }

    @Test
    void aMergedObjectWhoseUploadFailedAndTakesEffectMuchLaterIsDeleted() {
        flushed(4, 100);
        firstPutIsAZombie();
        world.rewrites.start();
        comesMuchLater();
    }

    @Test
    void aManifestWhoseUploadFailedAndTakesEffectMuchLaterIsDeleted() {
        flushed(4, 2_000);
        firstPutIsAZombie();
        world.manifests.start();
        comesMuchLater();
    }

    /** The id was given up for another, because half of its time was over before the store answered again. */
    @Test
    void aBundleWhoseUploadFailedAndTakesEffectMuchLaterIsDeleted() {
        world.start();
        long half = world.settings.objectTtlMs() / 2 + 60_000;
        boolean[] first = {true};
        long began = world.time.nanoTime();
        world.store.lateMs(zombieMs());
        world.store.puts(() -> {
            if (first[0]) {
                first[0] = false;
                return FaultyStore.Fate.LATE;
            }
            return world.time.nanoTime() - began < TimeUnit.MILLISECONDS.toNanos(half)
                    ? FaultyStore.Fate.FAILED
                    : FaultyStore.Fate.DONE;
        });
        sealed(100);
        comesMuchLater();
    }

    /** The same extent is flushed under the same id: that object stays, whatever its first upload does. */
    @Test
    void aBundleThatIsPublishedAfterAFailureStays() {
        world.start();
        firstPutIsAZombie();
        sealed(100);
        world.time.passUntil(world::allFlushed, 60_000);
        String key = world.store.putKeys.get(0);
        for (int i = 0; i < 4; i++) {
            expire();
        }
        assertThat(world.store.putKeys).containsOnly(key);
        assertThat(world.store.deletedKeys).isEmpty();
        world.invariants.hold();
    }

    private void flushed(int extents, int valueBytes) {
        world.start();
        for (int i = 0; i < extents; i++) {
            sealed(valueBytes);
            world.time.passUntil(world::allFlushed, 60_000);
        }
    }

    private void sealed(int valueBytes) {
        long extent = world.openExtent(Lane.of(1));
        world.append(extent, stream, 3, valueBytes);
        world.seal(extent);
    }

    private void expire() {
        world.time.pass(world.settings.objectTtlMs());
        world.control.upkeep();
        world.time.pass(world.settings.reapGraceMs() + 2_000);
    }

    private boolean isKnown(String key) {
        return world.control.image().objects().stream()
                .map(ObjectState::objectId)
                .anyMatch(id -> ObjectKeys.key(id).equals(key));
    }

    private void endsTooLate() {
        world.time.passUntil(() -> world.store.heldCount() == 1, 10_000);
        String late = world.store.putKeys.get(world.store.putKeys.size() - 1);
        expire();
        assertThat(isKnown(late)).as("doomed, deleted, forgotten").isFalse();
        world.store.puts(() -> FaultyStore.Fate.DONE);
        world.store.release();
        assertThat(world.store.objects).containsKey(late);
        world.time.pass(3_000);
        assertThat(world.store.objects).doesNotContainKey(late);
    }

    private long zombieMs() {
        return world.settings.objectTtlMs() + world.settings.reapGraceMs() + ZOMBIE_MS;
    }

    private void firstPutIsAZombie() {
        boolean[] first = {true};
        world.store.lateMs(zombieMs());
        world.store.puts(() -> {
            FaultyStore.Fate fate = first[0] ? FaultyStore.Fate.LATE : FaultyStore.Fate.DONE;
            first[0] = false;
            return fate;
        });
    }

    private void comesMuchLater() {
        int before = world.store.putKeys.size();
        world.time.passUntil(() -> world.store.putKeys.size() > before, 60_000);
        String zombie = world.store.putKeys.get(before);
        expire();
        assertThat(isKnown(zombie)).as("doomed, deleted, forgotten").isFalse();
        assertThat(world.store.objects).doesNotContainKey(zombie);
        world.time.pass(ZOMBIE_MS);
        assertThat(world.store.objects).containsKey(zombie);
        expire();
        expire();
        assertThat(world.store.objects).doesNotContainKey(zombie);
        world.invariants.nothingLeaked();
    }
}
