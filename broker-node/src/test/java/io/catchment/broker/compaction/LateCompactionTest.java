package io.catchment.broker.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.TestBatches;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ObjectState;
import io.catchment.objectstore.ObjectKeys;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** O3: a compacted object that gets into the store when its id is forgotten already is deleted by whoever sent it. */
class LateCompactionTest {
    private final CompactionWorld world = new CompactionWorld(
            new SplittableRandom(1),
            new CompactionSettings(true, 1 << 20, 0.9, 0, 1),
            Map.of("cleanup.policy", "compact", "min.cleanable.dirty.ratio", "0"));

    @Test
    void anObjectWhoseUploadEndedTooLateIsDeleted() {
        world.publish(List.of(TestBatches.batch(0, 3, 10)), 0, 3);
        world.publish(List.of(TestBatches.batch(3, 3, 10)), 3, 6);
        world.store.holds = true;
        world.time.passUntil(() -> world.store.held != null, 60_000);
        long late = world.control.image().objects().stream()
                .filter(object -> object.phase() == ObjectState.Phase.PREPARED)
                .findFirst()
                .orElseThrow()
                .objectId();
        world.time.pass(CompactionWorld.OBJECT_TTL_MS);
        world.control.upkeep();
        world.control.now(new Command.ForgetObjects(List.of(late)));

        world.store.holds = false;
        world.store.held.run();
        world.time.pass(1_000);
        assertThat(world.store.keys()).contains(ObjectKeys.key(late));
        world.uploader.deleteLate();
        assertThat(world.store.keys()).doesNotContain(ObjectKeys.key(late));
    }
}
