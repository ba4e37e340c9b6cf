package io.catchment.broker.coordinatorlog;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.read.BatchRun;
import io.catchment.broker.testing.FakePartition;
import io.catchment.broker.testing.TestBatches;
import io.catchment.broker.testing.TrackedBuffers;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StateLoadEndTest {
    private static final long DEADLINE_S = 30;

    private final FakePartition partition = new FakePartition("log", Uuid.randomUuid(), 0, 1);
    private final byte[] batch = partition.append(3, 10);
    private final TrackedBuffers buffers = new TrackedBuffers();
    private final CompletableFuture<BatchRun> read = new CompletableFuture<>();
    private final CountDownLatch reading = new CountDownLatch(1);
    private final CountDownLatch running = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final ScheduledThreadPoolExecutor threads = new ScheduledThreadPoolExecutor(1);
    private final StateLoad load;

    StateLoadEndTest() {
        partition.evictTo(3);
        load = new StateLoad(
                new Tenure(partition),
                new NothingReplayed(),
                (streamId, fromOffset, limitOffset, bytesMax) -> {
                    reading.countDown();
                    return read;
                },
                Time.SYSTEM,
                threads,
                1 << 20);
    }

    private static final class NothingReplayed implements Replay {
        @Override
        public long nextOffset() {
            return 0;
        }

        @Override
        public void replay(BatchRun run) {
            throw new AssertionError("nobody takes it");
        }

        @Override
        public void finish(long endOffset) {}

        @Override
        public long records() {
            return 0;
        }

        @Override
        public long bytes() {
            return 0;
        }
    }

    @AfterEach
    void end() {
        goOn.countDown();
        threads.shutdownNow();
    }

    @Test
    void whatWasReadForThreadsThatHaveEndedIsReleased() throws Exception {
        var unused = load.start();
        await(reading);
        // The step that has begun the read has ended, too
        threads.submit(() -> {}).get(DEADLINE_S, TimeUnit.SECONDS);
        threads.shutdownNow();
        load.cancel(new IllegalStateException("closing"));
        read.complete(new BatchRun(0, 3, buffers.track(TestBatches.buffer(batch))));
        assertThat(buffers.unreleased()).isZero();
    }

    @Test
    void whatWaitsForAThreadAtTheEndIsReleased() throws Exception {
        var unused = load.start();
        await(reading);
        threads.execute(() -> {
            running.countDown();
            awaitWhateverInterrupts(goOn);
        });
        await(running);
        read.complete(new BatchRun(0, 3, buffers.track(TestBatches.buffer(batch))));
        assertThat(buffers.unreleased()).isEqualTo(1);
        threads.shutdownNow();
        load.cancel(new IllegalStateException("closing"));
        assertThat(buffers.unreleased()).isZero();
    }

    private static void await(CountDownLatch latch) throws InterruptedException {
        assertThat(latch.await(DEADLINE_S, TimeUnit.SECONDS)).isTrue();
    }

    private static void awaitWhateverInterrupts(CountDownLatch latch) {
        while (true) {
            try {
                await(latch);
                return;
            } catch (InterruptedException closing) {
                // As a step does that does not wait
            }
        }
    }
}
