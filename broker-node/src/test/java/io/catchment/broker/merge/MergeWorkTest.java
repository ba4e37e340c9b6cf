package io.catchment.broker.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.flush.ObjectUploader;
import io.catchment.broker.flush.ReapHorizon;
import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.merge.MergePlan.StreamMerge;
import io.catchment.broker.testing.HeldObjects;
import io.catchment.broker.testing.PublishedStream;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.StreamRange;
import io.catchment.objectstore.ObjectStore;
import io.netty.buffer.ByteBuf;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
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

    /** What one reads at a time becomes many objects, and each is paid for. */
    @Test
    void eachObjectIsTold() throws Exception {
        PublishedStream four = new PublishedStream(1_000, 1_000, 2_000, 2_000);
        List<StreamRange> ranges = four.ranges();
        MergePlan plan = new MergePlan(
                List.of(
                        new StreamMerge(four.streamId, ranges.subList(0, 2), true),
                        new StreamMerge(four.streamId, ranges.subList(2, 4), true)),
                6_000);
        List<Long> told = new CopyOnWriteArrayList<>();
        MergeWork work = new MergeWork(
                new MergeMeans(
                        four.control,
                        new ObjectUploader(four.control, new Taking(), ReapHorizon.ALL, 60_000, System::nanoTime),
                        objects,
                        objects.allocator,
                        Path.of("nowhere"),
                        1,
                        four.nodeEpoch),
                plan,
                settings,
                loop,
                (written, bytes) -> told.add(bytes));
        CompletableFuture<Long> done = work.start().toCompletableFuture();
        for (int i = 0; i < 4; i++) {
            objects.next().answer();
        }
        long bytes = done.get(30, TimeUnit.SECONDS);
        assertThat(four.ranges()).hasSize(2);
        assertThat(told).hasSize(2).allMatch(each -> each > 2_000);
        assertThat(told.stream().mapToLong(Long::longValue).sum()).isEqualTo(bytes);
        objects.awaitNoDirectBytes();
    }

    /** Takes everything and keeps nothing. */
    private static final class Taking implements ObjectStore {
        @Override
        public CompletionStage<Void> put(String key, ByteBuf body) {
            body.release();
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletionStage<Void> putIfAbsent(String key, ByteBuf body) {
            throw new AssertionError("merges replace nothing");
        }

        @Override
        public CompletionStage<ByteBuf> get(String key, long position, int length) {
            throw new AssertionError("read by another way");
        }

        @Override
        public CompletionStage<Void> delete(List<String> keys) {
            throw new AssertionError("merges delete nothing");
        }

        @Override
        public CompletionStage<List<Listed>> list(String prefix) {
            throw new AssertionError("merges list nothing");
        }

        @Override
        public void close() {}
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
