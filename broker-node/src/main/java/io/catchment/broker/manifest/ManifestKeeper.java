package io.catchment.broker.manifest;

import io.catchment.broker.loop.Attempt;
import io.catchment.broker.loop.Backoff;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.merge.MergeMeans;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command.ReleaseManifest;
import io.catchment.controlplane.ManifestDigest;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamState;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps catalogs short, one step at a time and behind the flush. Of the streams that this node has open: their old ranges go to manifests, and what
 * lies before the log's start is released from them. Of manifests of nobody any more: one node of the cluster, the live one with the
 * lowest id, has all of their objects doomed. Owned by its loop. Everything is planned from the newest image, so nothing is lost with a
 * failure, and two nodes that do the same do no harm.
 */
public final class ManifestKeeper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ManifestKeeper.class);
    /** What concerned a manifest or a stream and failed is not tried again for so long: others are not to wait for it. */
    private static final long FAILED_MS = 600_000;

    private final MergeMeans means;
    private final Manifests manifests;
    private final ManifestSettings settings;
    private final Predicate<String> keeps;
    private final BooleanSupplier flushIsBehind;
    private final SerialLoop loop;
    private final Backoff backoff;
    private final ManifestMetrics metrics;
    /** By the manifest's id, or for a stream without one by its own id negated. */
    private final Map<Long, Long> failedUntilNanos = new HashMap<>();
    /** By manifest: it has nothing to release as long as the stream begins before this offset. */
    private final Map<Long, Long> neededFrom = new HashMap<>();

    private volatile boolean closed;

    /** @param keeps whether the ranges of a topic, by name, are to go to manifests */
    public ManifestKeeper(
            MergeMeans means,
            ManifestSettings settings,
            Predicate<String> keeps,
            BooleanSupplier flushIsBehind,
            SerialLoop loop,
            RandomGenerator random,
            ManifestMetrics metrics) {
        this.means = means;
        this.manifests = new Manifests(means.objects());
        this.settings = settings;
        this.keeps = keeps;
        this.flushIsBehind = flushIsBehind;
        this.loop = loop;
        this.backoff = new Backoff(settings.backoffMs(), settings.backoffMaxMs(), random);
        this.metrics = metrics;
    }

    public void start() {
        loop.schedule(this::look, settings.lookMs());
    }

    @Override
    public void close() {
        closed = true;
    }

    /** The id of a step that failed before it was known what it is about. */
    private static final long NOTHING_YET = 0;

    /** Something to do, and what is left alone for a while if that fails. */
    private record Step(long id, CompletionStage<?> done) {}

    private void look() {
        if (closed) {
            return;
        }
        long now = loop.nanoTime();
        failedUntilNanos.values().removeIf(until -> until - now <= 0);
        @Nullable Step step = flushIsBehind.getAsBoolean() ? null : nextOrFailed();
        if (step == null) {
            loop.schedule(this::look, settings.lookMs());
        } else {
            step.done().whenComplete((done, failure) -> loop.execute(() -> ended(step.id(), failure)));
        }
    }

    /** Whatever a look runs into, there is a next one. */
    private @Nullable Step nextOrFailed() {
        try {
            return next(means.controlPlane().image());
        } catch (RuntimeException | OutOfMemoryError e) {
            return new Step(NOTHING_YET, CompletableFuture.failedFuture(e));
        }
    }

    private @Nullable Step next(ClusterImage image) {
        ManifestRef retired = retired(image);
        if (retired != null) {
            return new Step(retired.objectId(), Attempt.of(() -> manifests
                    .sworn(image, retired)
                    .thenComposeAsync(all -> release(0, retired, all, all.size()), loop::execute)));
        }
        for (StreamState stream : image.streams()) {
            if (stream.ownerNodeId() == means.nodeId() && stream.ownerNodeEpoch() == means.nodeEpoch()) {
                Step step = next(image, stream);
                if (step != null) {
                    return step;
                }
            }
        }
        neededFrom.keySet().removeIf(id -> image.object(id).isEmpty());
        return null;
    }

    private @Nullable Step next(ClusterImage image, StreamState stream) {
        if (!stream.manifests().isEmpty()) {
            ManifestRef first = stream.manifests().get(0);
            if (stream.logStartOffset() >= neededFrom.getOrDefault(first.objectId(), first.baseOffset() + 1)
                    && !failedUntilNanos.containsKey(first.objectId())) {
                return new Step(first.objectId(), Attempt.of(() -> manifests
                        .sworn(image, first)
                        .thenComposeAsync(all -> releaseBefore(stream, first, all), loop::execute)));
            }
        }
        if (failedUntilNanos.containsKey(-stream.streamId()) || !keeps.test(stream.topic())) {
            return null;
        }
        Optional<ManifestPlan> plan = ManifestPlan.of(stream, image, settings);
        return plan.map(due -> new Step(-stream.streamId(), Attempt.of(() -> move(image, due))))
                .orElse(null);
    }

    private CompletionStage<?> move(ClusterImage image, ManifestPlan plan) {
        return new ManifestMove(means, manifests, plan, loop, settings.objectTtlMs())
                .start(image)
                .thenAcceptAsync(
                        bytes -> {
                            metrics.moved(plan.taken().size(), bytes);
                            LOG.debug(
                                    "{} ranges of stream {} moved to a manifest",
                                    plan.taken().size(),
                                    plan.streamId());
                        },
                        loop::execute);
    }

    private CompletionStage<?> releaseBefore(StreamState stream, ManifestRef manifest, List<OwnedRange> all) {
        int gone = 0;
        while (all.get(gone).range().endOffset() <= stream.logStartOffset()) {
            gone++;
        }
        if (gone == 0) {
            neededFrom.put(manifest.objectId(), all.get(0).range().endOffset());
            return CompletableFuture.completedStage(null);
        }
        return release(stream.streamId(), manifest, all, gone);
    }

    private CompletionStage<?> release(long streamId, ManifestRef manifest, List<OwnedRange> all, int gone) {
        OwnedRange next = gone < all.size() ? all.get(gone) : null;
        long rest = gone + 1 < all.size()
                ? ManifestDigest.of(all.subList(gone + 1, all.size()), ManifestDigest.NOTHING)
                : ManifestDigest.NOTHING;
        return means.controlPlane()
                .submit(new ReleaseManifest(
                        means.nodeId(),
                        means.nodeEpoch(),
                        streamId,
                        manifest.objectId(),
                        all.subList(0, gone),
                        next,
                        rest))
                .thenAcceptAsync(done -> metrics.released(gone), loop::execute);
    }

    private @Nullable ManifestRef retired(ClusterImage image) {
        if (image.retiredManifests().isEmpty() || !isFirst(image) || doomed(image) >= settings.doomedMax()) {
            return null;
        }
        for (ManifestRef manifest : image.retiredManifests()) {
            if (!failedUntilNanos.containsKey(manifest.objectId())) {
                return manifest;
            }
        }
        return null;
    }

    private static long doomed(ClusterImage image) {
        return image.objects().stream()
                .filter(object -> object.phase() == ObjectState.Phase.DOOMED)
                .count();
    }

    private boolean isFirst(ClusterImage image) {
        return image.nodes().stream()
                        .filter(node -> !node.fenced())
                        .mapToInt(NodeState::nodeId)
                        .min()
                        .orElse(-1)
                == means.nodeId();
    }

    private void ended(long id, @Nullable Throwable failure) {
        if (failure == null) {
            backoff.succeeded();
            loop.schedule(this::look, settings.pauseMs());
            return;
        }
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        metrics.failed();
        failedUntilNanos.put(id, loop.nanoTime() + TimeUnit.MILLISECONDS.toNanos(FAILED_MS));
        long waitMs = backoff.failedMs();
        if (backoff.isWorthALine() && !closed) {
            LOG.warn(
                    "The {} could not be kept in order, others are looked at in {} ms: {}",
                    id == NOTHING_YET ? "catalogs" : id < 0 ? "catalog of stream " + -id : "manifest " + id,
                    waitMs,
                    cause.toString());
        }
        loop.schedule(this::look, waitMs);
    }
}
