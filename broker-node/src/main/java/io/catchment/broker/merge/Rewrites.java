package io.catchment.broker.merge;

import io.catchment.broker.loop.Attempt;
import io.catchment.broker.loop.Backoff;
import io.catchment.broker.loop.SerialLoop;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes published ranges anew for all who have reasons to, one step at a time, in turns, and no faster than it may, behind the flush: while that
 * is behind, no step begins. Owned by its loop. Everything is planned from the newest image, so nothing is lost with a failure, and two
 * nodes that rewrite the same stream around a change of owner do no harm.
 */
public final class Rewrites implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Rewrites.class);

    private final List<RewriteSource> sources;
    private final MergeMeans means;
    private final MergeSettings settings;
    private final BooleanSupplier flushIsBehind;
    private final SerialLoop loop;
    private final Backoff backoff;
    private final RestingStreams resting;
    private volatile boolean closed;

    private @Nullable RewriteStep step;
    private int turn;

    public Rewrites(
            List<RewriteSource> sources,
            MergeMeans means,
            MergeSettings settings,
            BooleanSupplier flushIsBehind,
            SerialLoop loop,
            RandomGenerator random) {
        this.sources = List.copyOf(sources);
        this.means = means;
        this.settings = settings;
        this.flushIsBehind = flushIsBehind;
        this.loop = loop;
        this.backoff = new Backoff(settings.backoffMs(), settings.backoffMaxMs(), random);
        this.resting = new RestingStreams(loop::nanoTime);
    }

    public void start() {
        if (settings.bytesPerSecond() > 0) {
            loop.schedule(this::look, settings.lookMs());
        }
    }

    /** After the loop's end. What a step holds is given up when nothing of it runs any more. */
    @Override
    public void close() {
        closed = true;
        loop.execute(() -> {}, this::abandon);
    }

    private void abandon() {
        if (step != null) {
            step.abandon();
        }
    }

    private void look() {
        if (closed) {
            return;
        }
        // Whatever a look runs into, there is a next one
        Attempt.of(this::begin).whenComplete(this::ended);
    }

    /** Null when nothing is due. */
    private CompletionStage<@Nullable Long> begin() {
        step = flushIsBehind.getAsBoolean() ? null : nextOrDoubted();
        if (step == null) {
            return CompletableFuture.completedFuture(null);
        }
        try {
            return step.start().thenApply(bytes -> bytes);
        } catch (RuntimeException | OutOfMemoryError e) {
            step.abandon();
            throw e;
        }
    }

    private @Nullable RewriteStep nextOrDoubted() {
        RewriteStep next = next();
        return next == null && resting.onlyDoubtedAreLeft() ? next() : next;
    }

    /** Of the source whose turn it is, else of the next one that has any. */
    private @Nullable RewriteStep next() {
        for (int i = 0; i < sources.size(); i++) {
            RewriteSource source = sources.get(turn);
            turn = (turn + 1) % sources.size();
            Set<Long> without = resting.now();
            sources.stream().filter(other -> other != source).forEach(other -> without.addAll(other.busy()));
            RewriteStep next = source.next(means.controlPlane().image(), without);
            if (next != null) {
                return next;
            }
        }
        return null;
    }

    private void ended(@Nullable Long bytes, @Nullable Throwable failure) {
        @Nullable RewriteStep done = step;
        step = null;
        if (failure == null) {
            if (done != null) {
                succeeded(done.readWhole());
            }
            loop.schedule(this::look, bytes == null ? settings.lookMs() : 1_000 * bytes / settings.bytesPerSecond());
            return;
        }
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof UnreadableRangeException unreadable) {
            resting.failed(unreadable);
        }
        long waitMs = backoff.failedMs();
        if (backoff.isWorthALine() && !closed) {
            LOG.warn(
                    "{} failed, the next step in {} ms: {}",
                    done == null ? "Looking for what to write again" : "The " + done,
                    waitMs,
                    String.valueOf(cause));
        }
        loop.schedule(this::look, waitMs);
    }

    /** What read a part only may yet fail at the same place as the last time. */
    private void succeeded(Set<Long> readWhole) {
        if (!readWhole.isEmpty()) {
            backoff.succeeded();
        }
        resting.succeeded(readWhole);
    }
}
