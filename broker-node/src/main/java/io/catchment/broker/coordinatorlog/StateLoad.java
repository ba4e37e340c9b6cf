package io.catchment.broker.coordinatorlog;

import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.read.BatchRuns;
import io.catchment.broker.read.StreamReader;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.ExponentialBackoff;
import org.apache.kafka.coordinator.common.runtime.CoordinatorLoader.LoadSummary;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One load of one partition of a coordinator's log, from its log start to its acknowledged end. Owned by the one step that runs now: each step hands
 * over to the next through the executor, so the fields need no lock.
 *
 * <p>Reads that fail are tried again for as long as the tenure lasts: clients see COORDINATOR_LOAD_IN_PROGRESS meanwhile. Kafka's
 * runtime would not try a second time before the next election, and an object store that is away must not cost a group its
 * coordinator for longer than it is away. What was read but cannot be replayed does fail the load.
 *
 * <p>A load that follows a lost append (the coordinator was out of step and loads again in the same tenure) waits until that
 * append is acknowledged or known to have failed: else the state would miss records that are about to appear in the log.
 */
public final class StateLoad {
    private static final Logger LOG = LoggerFactory.getLogger(StateLoad.class);
    private static final ExponentialBackoff RETRY_MS = new ExponentialBackoff(100, 2, 5_000, 0.2);

    private final Tenure tenure;
    private final PartitionView view;
    private final StreamReader reader;
    private final Time time;
    private final ScheduledExecutorService threads;
    private final int readBytesMax;
    private final Replay replay;
    private final long createdMs;
    private final CompletableFuture<LoadSummary> result = new CompletableFuture<>();
    /** Read, and on its way to the next step. Whoever takes it out releases it. */
    private final AtomicReference<@Nullable BatchRun> arrived = new AtomicReference<>();

    private long startedMs = -1;
    private int failures;

    public StateLoad(
            Tenure tenure,
            Replay replay,
            StreamReader reader,
            Time time,
            ScheduledExecutorService threads,
            int readBytesMax) {
        this.tenure = tenure;
        this.view = tenure.view();
        this.reader = reader;
        this.time = time;
        this.threads = threads;
        this.readBytesMax = readBytesMax;
        this.replay = replay;
        this.createdMs = time.milliseconds();
    }

    public CompletableFuture<LoadSummary> start() {
        next();
        return result;
    }

    /** The threads may have ended: what was read for them, and is not taken yet, is given up. */
    public void cancel(RuntimeException why) {
        result.completeExceptionally(why);
        giveUpArrived();
    }

    private void giveUpArrived() {
        BatchRun run = arrived.getAndSet(null);
        if (run != null) {
            run.payload().release();
        }
    }

    private void next() {
        try {
            threads.execute(this::step);
        } catch (RejectedExecutionException e) {
            cancel(e);
        }
    }

    private void step() {
        if (result.isDone()) {
            return;
        }
        try {
            if (startedMs < 0) {
                startedMs = time.milliseconds();
            }
            if (!tenure.holds()) {
                throw new NotLeaderOrFollowerException(
                        "Ownership of " + tenure.topicPartition() + " was lost during the load");
            }
            skipWhatIsDeleted();
            long endOffset = view.highWatermark();
            if (replay.nextOffset() < endOffset) {
                read(endOffset);
            } else if (appendsAreSettled(endOffset)) {
                finish(endOffset);
            }
        } catch (Throwable e) {
            result.completeExceptionally(e);
        }
    }

    /** The log's beginning may move on while this goes on: what was before it nobody needs, and nobody can read. */
    private void skipWhatIsDeleted() {
        long startOffset = view.logStartOffset();
        if (replay.nextOffset() < startOffset) {
            replay.replay(BatchRuns.empty(startOffset));
        }
    }

    private void read(long endOffset) {
        BatchRun cached = view.readTail(replay.nextOffset(), readBytesMax);
        if (cached != null) {
            replayed(cached);
            return;
        }
        var unused = reader.read(view.streamId(), replay.nextOffset(), endOffset, readBytesMax)
                .whenComplete(this::received);
    }

    /** On whatever thread the reader completes: no work here. */
    private void received(@Nullable BatchRun run, @Nullable Throwable failure) {
        arrived.set(run);
        try {
            threads.execute(run == null ? () -> retry(failure) : this::take);
        } catch (RejectedExecutionException e) {
            cancel(e);
        }
        if (result.isDone()) {
            giveUpArrived();
        }
    }

    private void take() {
        BatchRun run = arrived.getAndSet(null);
        if (run != null) {
            replayed(run);
        }
    }

    private void replayed(BatchRun run) {
        try {
            if (result.isDone()) {
                return;
            }
            if (run.isEmpty()) {
                // What is acknowledged must be readable (O2): a moved range, or a hole. Go on asking, and say so.
                retry(new IllegalStateException("Nothing found at offset " + replay.nextOffset()));
                return;
            }
            failures = 0;
            replay.replay(run);
            next();
        } catch (Throwable e) {
            LOG.error("Load of {} failed at offset {}", tenure.topicPartition(), replay.nextOffset(), e);
            result.completeExceptionally(e);
        } finally {
            run.payload().release();
        }
    }

    private void retry(@Nullable Throwable failure) {
        long delayMs = RETRY_MS.backoff(failures++);
        LOG.warn(
                "Read of {} at offset {} failed, next try in {} ms: {}",
                tenure.topicPartition(),
                replay.nextOffset(),
                delayMs,
                String.valueOf(failure instanceof CompletionException ? failure.getCause() : failure));
        try {
            var unused = threads.schedule(this::step, delayMs, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            cancel(e);
        }
    }

    /** False: another step follows when that may have changed. */
    private boolean appendsAreSettled(long endOffset) {
        CompletableFuture<Long> append = tenure.lastAppend();
        if (!append.isDone()) {
            var unused = append.whenComplete((offset, failure) -> next());
            return false;
        }
        if (!append.isCompletedExceptionally() && append.join() > endOffset) {
            awaitAdvance(endOffset);
            return false;
        }
        return true;
    }

    private void awaitAdvance(long endOffset) {
        AtomicBoolean fired = new AtomicBoolean();
        PartitionView.AdvanceListener once = new PartitionView.AdvanceListener() {
            @Override
            public void advanced(PartitionView partition) {
                boolean moved = partition.highWatermark() > endOffset || !tenure.holds();
                if (moved && fired.compareAndSet(false, true)) {
                    partition.unwatch(this);
                    next();
                }
            }
        };
        view.watch(once);
        // It may have moved before the watch began.
        once.advanced(view);
    }

    private void finish(long endOffset) {
        replay.finish(endOffset);
        result.complete(new LoadSummary(
                createdMs, time.milliseconds(), startedMs - createdMs, replay.records(), replay.bytes()));
    }
}
