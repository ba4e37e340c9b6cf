package io.catchment.broker.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.ManualLoop;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.StreamRange;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A stream whose ranges cannot be read must not keep others waiting, and an outage of the store is no stream's fault. */
class UnreadableStreamsTest {
    private static final long MINUTE_MS = TimeUnit.MINUTES.toMillis(1);

    private final ManualLoop loop = new ManualLoop();
    private final TreeSet<Long> due = new TreeSet<>();
    /** Of reads that fail. */
    private final Map<Long, Reason> bad = new HashMap<>();

    private final Map<Long, Integer> reads = new HashMap<>();
    /** There is always something to do for them. */
    private final Set<Long> staying = new TreeSet<>();

    private boolean storeIsAway;

    @Test
    void afterAnOutageOfTheStoreAllGoOnAtOnce() {
        start();
        outage();
    }

    /** What the first one taught is forgotten once the streams were read. */
    @Test
    void afterASecondOutageAllGoOnAtOnceToo() {
        start();
        outage();
        outage();
    }

    private void outage() {
        due.addAll(List.of(1L, 2L, 3L, 4L, 5L));
        storeIsAway = true;
        loop.pass(3 * MINUTE_MS);
        assertThat(due).hasSize(5);

        storeIsAway = false;
        loop.passUntil(due::isEmpty, 2 * MINUTE_MS);
    }

    @Test
    void whatTheStoreDoesNotServeWhileItServesOthersRests() {
        due.addAll(List.of(1L, 2L, 3L));
        staying.add(3L);
        bad.put(1L, Reason.TRANSIENT);
        bad.put(2L, Reason.REFUSED);
        start();
        loop.pass(9 * MINUTE_MS);
        assertThat(reads).containsEntry(1L, 2).containsEntry(2L, 2);
        assertThat(reads.get(3L)).isGreaterThan(100);

        bad.clear();
        loop.pass(3 * MINUTE_MS);
        assertThat(due).containsExactly(3L);
    }

    @Test
    void whatIsNotWhatWasWrittenRestsAtOnce() {
        due.addAll(List.of(1L, 2L, 3L));
        staying.add(3L);
        bad.put(1L, Reason.CORRUPT);
        bad.put(2L, Reason.NOT_FOUND);
        start();
        loop.pass(9 * MINUTE_MS);
        assertThat(reads).containsEntry(1L, 1).containsEntry(2L, 1);
    }

    @Test
    void aStreamThatNobodyWaitsBehindIsTriedOnWithoutARest() {
        due.add(1L);
        bad.put(1L, Reason.TRANSIENT);
        start();
        loop.pass(MINUTE_MS);
        bad.clear();
        loop.passUntil(due::isEmpty, 2 * MINUTE_MS);
    }

    private void start() {
        MergeMeans means = new MergeMeans(
                new FakeControlPlane(), null, null, UnpooledByteBufAllocator.DEFAULT, Path.of("nowhere"), 1, 1);
        new Rewrites(List.of(new Due()), means, MergeSettings.DEFAULT.withLookMs(100), () -> false, loop, new Random(1))
                .start();
    }

    private final class Due implements RewriteSource {
        @Override
        public @Nullable RewriteStep next(ClusterImage image, Set<Long> without) {
            return due.stream()
                    .filter(stream -> !without.contains(stream))
                    .findFirst()
                    .map(Read::new)
                    .orElse(null);
        }

        @Override
        public Set<Long> busy() {
            return Set.of();
        }
    }

    private final class Read implements RewriteStep {
        private final long stream;

        Read(long stream) {
            this.stream = stream;
        }

        @Override
        public CompletionStage<Long> start() {
            reads.merge(stream, 1, Integer::sum);
            Reason reason = storeIsAway ? Reason.TRANSIENT : bad.get(stream);
            if (reason != null) {
                StreamRange range = new StreamRange(0, 10, 7, 16, 100, 0, 0);
                return CompletableFuture.failedFuture(new UnreadableRangeException(
                        stream, range, new ObjectStoreException(reason, "injected", null)));
            }
            if (!staying.contains(stream)) {
                due.remove(stream);
            }
            // A second's worth
            return CompletableFuture.completedFuture(MergeSettings.DEFAULT.bytesPerSecond());
        }

        @Override
        public Set<Long> readWhole() {
            return Collections.singleton(stream);
        }

        @Override
        public void abandon() {}
    }
}
