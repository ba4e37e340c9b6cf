package io.catchment.broker.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.merge.MergePlan.StreamMerge;
import io.catchment.broker.testing.HeldObjects;
import io.catchment.broker.testing.PublishedStream;
import io.catchment.controlplane.ClusterImage;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a merge holds is given back when its node's epoch ends, wherever it is then. */
class MergeWorkTest {
    private final PublishedStream published = new PublishedStream(1_000, 2_000);
    private final HeldObjects objects = new HeldObjects();
    private final SerialThread loop = new SerialThread("merge-under-test");
    private final MergeSettings settings = MergeSettings.DEFAULT.withLookMs(1);
    private final MergeMeans means = new MergeMeans(
            published.control, null, objects, objects.allocator, Path.of("nowhere"), 1, published.nodeEpoch);
    private final Rewrites rewrites =
            new Rewrites(List.of(new OneMerge()), means, settings, () -> false, loop, new Random(1));

    private final class OneMerge implements RewriteSource {
        @Override
        public RewriteStep next(ClusterImage image, Set<Long> without) {
            MergePlan plan =
                    new MergePlan(List.of(new StreamMerge(published.streamId, published.ranges(), true)), 3_000);
            return new MergeWork(means, plan, settings, loop, (done, bytes) -> {});
        }

        @Override
        public Set<Long> busy() {
            return Set.of();
        }
    }

    @AfterEach
    void end() {
        loop.close();
    }

    @Test
    void aRunThatComesAfterTheEndIsReleased() throws Exception {
        rewrites.start();
        objects.next().answer();
        HeldObjects.Read second = objects.next();
        assertThat(objects.directBytes()).as("the first one is kept").isPositive();

        loop.close();
        rewrites.close();
        second.answer();
        objects.awaitNoDirectBytes();
    }

    @Test
    void aRunThatComesBeforeTheEndIsReleasedThoughNobodyTakesIt() throws Exception {
        rewrites.start();
        HeldObjects.Read first = objects.next();
        Blocker blocker = new Blocker();
        loop.execute(blocker);
        blocker.awaitRunning();
        first.answer();
        loop.close();
        rewrites.close();
        blocker.end();
        objects.awaitNoDirectBytes();
    }
}
