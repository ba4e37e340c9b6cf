package io.catchment.broker.merge;

import io.catchment.broker.loop.Backoff;
import io.catchment.broker.loop.SerialLoop;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Merges the published ranges of the streams that this node has open, one object at a time and no faster than it may, behind the flush:
 * while that is behind, nothing is merged. Owned by its loop. Everything is planned from the newest image, so nothing is lost
 * with a failure, and two nodes that merge the same stream around a change of owner do no harm.
 */
public final class Merger implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Merger.class);
    /** A stream with an input that cannot be read is left alone for so long: others are not to wait for it. */
    private static final long UNREADABLE_MS = 600_000;

    private final MergeMeans means;
    private final MergeSettings settings;
    private final BooleanSupplier flushIsBehind;
    private final SerialLoop loop;
    private final Backoff backoff;
    private final MergeMetrics metrics;
    private final Map<Long, Long> unreadableUntilNanos = new HashMap<>();
    private volatile boolean closed;

    private @Nullable MergeWork work;

    public Merger(
            MergeMeans means,
            MergeSettings settings,
            BooleanSupplier flushIsBehind,
            SerialLoop loop,
            RandomGenerator random,
            MergeMetrics metrics) {
        this.means = means;
        this.settings = settings;
        this.flushIsBehind = flushIsBehind;
        this.loop = loop;
        this.backoff = new Backoff(settings.backoffMs(), settings.backoffMaxMs(), random);
        this.metrics = metrics;
    }

    public void start() {
        if (settings.bytesPerSecond() > 0) {
            loop.schedule(this::look, settings.lookMs());
        }
    }

    /** After the loop's end. */
    @Override
    public void close() {
        closed = true;
        if (work != null) {
            work.abandon();
        }
    }

    private void look() {
        if (closed) {
            return;
        }
        long now = loop.nanoTime();
        unreadableUntilNanos.values().removeIf(until -> until - now <= 0);
        MergePlan plan = flushIsBehind.getAsBoolean()
                ? new MergePlan(List.of(), 0)
                : MergePlan.of(
                        means.controlPlane().image(),
                        means.nodeId(),
                        means.nodeEpoch(),
                        settings,
                        new HashSet<>(unreadableUntilNanos.keySet()));
        if (plan.isEmpty()) {
            loop.schedule(this::look, settings.lookMs());
            return;
        }
        work = new MergeWork(means, plan, loop, settings.objectTtlMs());
        work.start().whenComplete((bytes, failure) -> ended(plan, bytes, failure));
    }

    private void ended(MergePlan plan, @Nullable Long bytes, @Nullable Throwable failure) {
        work = null;
        if (bytes != null) {
            backoff.succeeded();
            int ranges = plan.streams().stream()
                    .mapToInt(merge -> merge.inputs().size())
                    .sum();
            metrics.merged(plan.streams().size(), ranges, bytes);
            LOG.info(
                    "Merged {} ranges of {} streams into {} bytes",
                    ranges,
                    plan.streams().size(),
                    bytes);
            loop.schedule(this::look, 1_000 * bytes / settings.bytesPerSecond());
            return;
        }
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        metrics.failed();
        if (cause instanceof MergeWork.UnreadableException unreadable) {
            unreadableUntilNanos.put(
                    unreadable.streamId(), loop.nanoTime() + TimeUnit.MILLISECONDS.toNanos(UNREADABLE_MS));
        }
        long waitMs = backoff.failedMs();
        if (backoff.isWorthALine() && !closed) {
            LOG.warn(
                    "A merge of {} streams failed, the next one in {} ms: {}",
                    plan.streams().size(),
                    waitMs,
                    String.valueOf(cause));
        }
        loop.schedule(this::look, waitMs);
    }
}
