package io.catchment.broker.retention;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.loop.TrustedClock;
import io.catchment.broker.topic.TopicConfig;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.Trim;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.StreamState;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.random.RandomGenerator;
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
    private volatile boolean closed;

    /** @param configs by topic */
    public Retention(
            ControlPlane controlPlane,
            int nodeId,
            long nodeEpoch,
            Function<String, TopicConfig> configs,
            long checkMs,
            SerialLoop loop,
            RandomGenerator random) {
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
        List<Trim> due = due();
        CompletionStage<?> done = CompletableFuture.completedFuture(null);
        for (int from = 0; from < due.size(); from += TRIMS_MAX) {
            List<Trim> part = due.subList(from, Math.min(due.size(), from + TRIMS_MAX));
            done = done.thenCompose(before -> controlPlane.submit(new Command.TrimStreams(nodeId, nodeEpoch, part)));
        }
        done.whenComplete((trimmed, failure) -> {
            if (failure != null) {
                LOG.warn(
                        "Retention of {} streams is tried again in {} ms: {}", due.size(), checkMs, failure.toString());
            } else if (!due.isEmpty()) {
                LOG.info("Retention moved the beginning of {} streams", due.size());
            }
            loop.schedule(this::check, checkMs);
        });
    }

    private List<Trim> due() {
        ClusterImage image = controlPlane.image();
        long nowMs = clock.nowMs();
        List<Trim> due = new ArrayList<>();
        for (StreamState stream : image.streams()) {
            boolean open = stream.ownerNodeId() == nodeId && stream.ownerNodeEpoch() == nodeEpoch;
            if (open && !stream.catalog().isEmpty()) {
                long start = RetentionRule.logStartOffset(stream, configs.apply(stream.topic()), nowMs);
                if (start > stream.logStartOffset()) {
                    due.add(new Trim(stream.streamId(), start));
                }
            }
        }
        return due;
    }
}
