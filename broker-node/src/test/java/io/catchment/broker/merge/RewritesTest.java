package io.catchment.broker.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.ManualLoop;
import io.catchment.controlplane.ClusterImage;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RewritesTest {
    private final ManualLoop loop = new ManualLoop();
    private final List<String> seen = new ArrayList<>();

    @Test
    void aSourceThatThrowsWantOfDirectMemoryIsAskedAgain() {
        run(new OnceBad() {
            @Override
            RewriteStep bad() {
                throw new OutOfMemoryError("direct");
            }
        });

        assertThat(seen).containsExactly("asked", "asked", "started");
    }

    @Test
    void aStepThatThrowsIsAbandonedAndTheNextOneBegun() {
        run(new OnceBad() {
            @Override
            RewriteStep bad() {
                return step(() -> {
                    throw new IllegalStateException("broken");
                });
            }
        });

        assertThat(seen).containsExactly("asked", "abandoned", "asked", "started");
    }

    @Test
    void aStepThatFailsIsFollowedByTheNextOne() {
        run(new OnceBad() {
            @Override
            RewriteStep bad() {
                return step(() -> CompletableFuture.failedFuture(new IllegalStateException("broken")));
            }
        });

        assertThat(seen).containsExactly("asked", "asked", "started");
    }

    @Test
    void aStepIsNotAbandonedWhileItRuns() throws Exception {
        SerialThread thread = new SerialThread("rewrites-under-test");
        Blocker blocker = new Blocker();
        CountDownLatch abandoned = new CountDownLatch(1);
        RewriteStep step = new RewriteStep() {
            @Override
            public CompletionStage<Long> start() {
                blocker.run();
                return new CompletableFuture<>();
            }

            @Override
            public Set<Long> readWhole() {
                return Set.of();
            }

            @Override
            public void abandon() {
                abandoned.countDown();
            }
        };
        RewriteSource source = new RewriteSource() {
            @Override
            public RewriteStep next(ClusterImage image, Set<Long> without) {
                return step;
            }

            @Override
            public Set<Long> busy() {
                return Set.of();
            }
        };
        Rewrites rewrites = new Rewrites(
                List.of(source), means(), MergeSettings.DEFAULT.withLookMs(1), () -> false, thread, new Random(1));
        rewrites.start();
        blocker.awaitRunning();
        thread.close();
        rewrites.close();
        assertThat(abandoned.getCount()).isEqualTo(1);
        blocker.end();
        assertThat(abandoned.await(30, TimeUnit.SECONDS)).isTrue();
    }

    /** Until the good step has begun, which never ends. */
    private void run(OnceBad source) {
        new Rewrites(List.of(source), means(), MergeSettings.DEFAULT.withLookMs(100), () -> false, loop, new Random(1))
                .start();
        loop.passUntil(() -> seen.contains("started"), 10_000);
    }

    private static MergeMeans means() {
        return new MergeMeans(
                new FakeControlPlane(), null, null, UnpooledByteBufAllocator.DEFAULT, Path.of("nowhere"), 1, 1);
    }

    private RewriteStep step(Supplier<CompletionStage<Long>> start) {
        return new RewriteStep() {
            @Override
            public CompletionStage<Long> start() {
                return start.get();
            }

            @Override
            public Set<Long> readWhole() {
                return Set.of();
            }

            @Override
            public void abandon() {
                seen.add("abandoned");
            }
        };
    }

    private abstract class OnceBad implements RewriteSource {
        private boolean once;

        abstract RewriteStep bad();

        @Override
        public @Nullable RewriteStep next(ClusterImage image, Set<Long> without) {
            seen.add("asked");
            if (!once) {
                once = true;
                return bad();
            }
            return step(() -> {
                seen.add("started");
                return new CompletableFuture<>();
            });
        }

        @Override
        public Set<Long> busy() {
            return Set.of();
        }
    }
}
