package io.catchment.broker.retention;

import io.catchment.broker.loop.Attempt;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.loop.TrustedClock;
import io.catchment.broker.manifest.Manifests;
import io.catchment.broker.topic.TopicConfig;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.Trim;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.ObjectBytes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Applies retention to the streams that this node has open in its epoch, now and then. Owned by its loop. What is to go is computed
 * from the image each time, so nothing is lost with a failure; a round that fails comes again with the next.
 */
public final class Retention implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Retention.class);
    /** Below what the control plane takes in one command. */
    private static final int TRIMS_MAX = 5_000;

    private final ControlPlane controlPlane;
    private final int nodeId;
    private final long nodeEpoch;
    private final Function<String, TopicConfig> configs;
    private final long checkMs;
    private final SerialLoop loop;
    private final RandomGenerator random;
    private final TrustedClock clock;
    private final Manifests manifests;
    private volatile boolean closed;

    /** @param configs by topic */
    public Retention(
            ControlPlane controlPlane,
            int nodeId,
            long nodeEpoch,
            Function<String, TopicConfig> configs,
            ObjectBytes objects,
            long checkMs,
            SerialLoop loop,
            RandomGenerator random) {
        this.manifests = new Manifests(objects);
        this.controlPlane = controlPlane;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        this.configs = configs;
        this.checkMs = checkMs;
        this.loop = loop;
        this.random = random;
        this.clock = new TrustedClock(loop::wallClockMs, loop::nanoTime);
    }

    /** Nodes that start together do not check together. */
    public void start() {
        loop.schedule(this::check, checkMs / 10 + random.nextLong(Math.max(1, checkMs)));
    }

    @Override
    public void close() {
        closed = true;
    }

    private void check() {
        if (closed) {
            return;
        }
        Round round = new Round(controlPlane.image(), clock.nowMs());
        // Whatever a check runs into, there is a next one
        Attempt.of(() -> decided(round))
                .thenComposeAsync(decided -> trim(decided.due), loop::execute)
                .whenComplete((done, failure) -> loop.execute(() -> {
                    if (failure != null) {
                        LOG.warn(
                                "Retention of {} streams is tried again in {} ms: {}",
                                round.due.size(),
                                checkMs,
                                failure.toString());
                    } else if (!round.due.isEmpty()) {
                        LOG.info("Retention moved the beginning of {} streams", round.due.size());
                    }
                    loop.schedule(this::check, checkMs);
                }));
    }

    /** One look at all streams. Owned by the loop. */
    private static final class Round {
        final ClusterImage image;
        final long nowMs;
        final List<Trim> due = new ArrayList<>();
        final Deque<StreamState> undecided = new ArrayDeque<>();
        final Map<Long, List<OwnedRange>> listed = new HashMap<>();

        Round(ClusterImage image, long nowMs) {
            this.image = image;
            this.nowMs = nowMs;
        }
    }

    /** Most streams are decided by what the image has; for the others manifests are read, one at a time. */
    private CompletionStage<Round> decided(Round round) {
        for (StreamState stream : round.image.streams()) {
            boolean open = stream.ownerNodeId() == nodeId && stream.ownerNodeEpoch() == nodeEpoch;
            if (open && !stream.catalog().isEmpty()) {
                @Nullable ManifestRef needed = decide(round, stream);
                if (needed != null) {
                    round.undecided.add(stream);
                }
            }
        }
        return decideNext(round);
    }

    private CompletionStage<Round> decideNext(Round round) {
        for (StreamState stream = round.undecided.peek(); stream != null; stream = round.undecided.peek()) {
            StreamState present = stream;
            @Nullable ManifestRef needed = decide(round, present);
            if (needed != null) {
                return manifests
                        .ranges(round.image, needed)
                        .handleAsync(
                                (ranges, failure) -> listed(round, present, needed, ranges, failure), loop::execute)
                        .thenComposeAsync(this::decideNext, loop::execute);
            }
            round.undecided.remove();
            round.listed.clear();
        }
        return CompletableFuture.completedFuture(round);
    }

    private static Round listed(
            Round round,
            StreamState stream,
            ManifestRef manifest,
            @Nullable List<OwnedRange> ranges,
            @Nullable Throwable failure) {
        if (ranges != null) {
            round.listed.put(manifest.objectId(), ranges);
        } else {
            LOG.warn(
                    "Retention of stream {} waits for its manifest {}: {}",
                    stream.streamId(),
                    manifest.objectId(),
                    String.valueOf(failure));
            round.undecided.remove();
            round.listed.clear();
        }
        return round;
    }

    /** The manifest that has to be read for it; null when it is decided. */
    private @Nullable ManifestRef decide(Round round, StreamState stream) {
        RetentionRule.Verdict verdict =
                RetentionRule.of(stream, configs.apply(stream.topic()), round.nowMs, round.listed);
        if (verdict.undecided() == null && verdict.logStartOffset() > stream.logStartOffset()) {
            round.due.add(new Trim(stream.streamId(), verdict.logStartOffset()));
        }
        return verdict.undecided();
    }

    private CompletionStage<?> trim(List<Trim> due) {
        CompletionStage<?> done = CompletableFuture.completedFuture(null);
        for (int from = 0; from < due.size(); from += TRIMS_MAX) {
            List<Trim> part = List.copyOf(due.subList(from, Math.min(due.size(), from + TRIMS_MAX)));
            done = done.thenCompose(before -> controlPlane.submit(new Command.TrimStreams(nodeId, nodeEpoch, part)));
        }
        return done;
    }
}
