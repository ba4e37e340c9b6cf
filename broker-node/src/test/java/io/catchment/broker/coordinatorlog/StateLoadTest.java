package io.catchment.broker.coordinatorlog;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.read.BatchRun;
import io.catchment.broker.read.BatchRuns;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.testing.FakePartition;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StateLoadTest {
    private final ScheduledExecutorService threads =
            Executors.newSingleThreadScheduledExecutor(DaemonThreads.named("state-load-test"));
    private final FakePartition log = new FakePartition("log", Uuid.randomUuid(), 0, 1);

    @AfterEach
    void everyBufferIsReleased() {
        threads.shutdownNow();
        assertThat(log.buffers.unreleased()).isZero();
    }

    /** As a share coordinator before this one may have asked for it. */
    @Test
    void aLogWhoseBeginningIsDeletedMeanwhileIsLoadedFromThere() throws Exception {
        log.append(5, 10);
        log.append(3, 10);
        log.evictTo(5);
        StreamReader reader = (streamId, fromOffset, limitOffset, bytesMax) -> {
            log.logStartOffset = 5;
            return CompletableFuture.completedFuture(BatchRuns.empty(fromOffset));
        };
        Offsets replay = new Offsets();
        new StateLoad(new Tenure(log), replay, reader, Time.SYSTEM, threads, 1 << 20)
                .start()
                .get(20, TimeUnit.SECONDS);
        assertThat(replay.runs).containsExactly(5L);
        assertThat(replay.end).isEqualTo(8);
    }

    /** Where the runs begin that have records. */
    private static final class Offsets implements Replay {
        private final List<Long> runs = new ArrayList<>();
        private long next;
        private long end = -1;

        @Override
        public long nextOffset() {
            return next;
        }

        @Override
        public void replay(BatchRun run) {
            if (!run.isEmpty()) {
                runs.add(run.baseOffset());
            }
            next = Math.max(next, run.endOffset());
        }

        @Override
        public void finish(long endOffset) {
            end = endOffset;
        }

        @Override
        public long records() {
            return 0;
        }

        @Override
        public long bytes() {
            return 0;
        }
    }
}
