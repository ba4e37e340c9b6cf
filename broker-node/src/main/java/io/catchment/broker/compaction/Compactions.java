package io.catchment.broker.compaction;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.loop.TrustedClock;
import io.catchment.broker.merge.MergeMeans;
import io.catchment.broker.merge.MergeSettings;
import io.catchment.broker.merge.RewriteSource;
import io.catchment.broker.merge.RewriteStep;
import io.catchment.broker.topic.TopicConfig;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.StreamState;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Compacts the streams of compacted topics that this node has open, the dirtiest first, one at a time. Owned by the loop. Where the
 * cleaner stands is in the control plane; what a pass knows beyond that is thrown away with it.
 */
public final class Compactions implements RewriteSource {
    /** A stream that a pass could not get any further is left alone for so long. */
    private static final long STUCK_MS = 300_000;

    private static final long FOREVER_MS = TimeUnit.DAYS.toMillis(365_000);

    private final MergeMeans means;
    private final MergeSettings merges;
    private final CompactionSettings settings;
    private final Function<String, TopicConfig> configs;
    private final SerialLoop loop;
    private final CompactionMetrics metrics;
    private final TrustedClock clock;
    private final Map<Long, Long> stuckUntilNanos = new HashMap<>();
    private @Nullable Pass pass;

    /** @param configs by topic */
    public Compactions(
            MergeMeans means,
            MergeSettings merges,
            CompactionSettings settings,
            Function<String, TopicConfig> configs,
            SerialLoop loop,
            CompactionMetrics metrics) {
        this.means = means;
        this.merges = merges;
        this.settings = settings;
        this.configs = configs;
        this.loop = loop;
        this.metrics = metrics;
        this.clock = new TrustedClock(loop::wallClockMs, loop::nanoTime);
    }

    @Override
    public @Nullable RewriteStep next(ClusterImage image, Set<Long> without) {
        if (!settings.enabled()) {
            return null;
        }
        RewriteStep step = goOn(image, without);
        if (step != null) {
            return step;
        }
        CleanPlan plan = dirtiest(image, without);
        metrics.dirtiest(plan == null ? 0 : plan.ratio());
        if (plan == null) {
            return null;
        }
        // What is in manifests is not cleaned: without its tombstone an old value there would come to light
        TopicConfig config = configs.apply(plan.stream().topic());
        long deleteRetentionMs = plan.stream().manifests().isEmpty() ? config.deleteRetentionMs() : FOREVER_MS;
        pass = new Pass(means, merges, settings, metrics, loop, plan, config, clock.nowMs(), deleteRetentionMs);
        return goOn(image, without);
    }

    @Override
    public Set<Long> busy() {
        return pass == null ? Set.of() : Set.of(pass.streamId());
    }

    /** With the pass under way, as long as the stream is here and as it was. */
    private @Nullable RewriteStep goOn(ClusterImage image, Set<Long> without) {
        Pass present = pass;
        if (present == null) {
            return null;
        }
        boolean goesOn = !without.contains(present.streamId())
                && image.stream(present.streamId()).filter(this::isOurs).isPresent();
        RewriteStep step = goesOn ? present.next() : null;
        if (step == null) {
            if (present.stuck()) {
                stuckUntilNanos.put(present.streamId(), loop.nanoTime() + TimeUnit.MILLISECONDS.toNanos(STUCK_MS));
            }
            pass = null;
        }
        return step;
    }

    private boolean isOurs(StreamState stream) {
        return stream.ownerNodeId() == means.nodeId()
                && stream.ownerNodeEpoch() == means.nodeEpoch()
                && configs.apply(stream.topic()).compacted();
    }

    private @Nullable CleanPlan dirtiest(ClusterImage image, Set<Long> without) {
        long now = loop.nanoTime();
        stuckUntilNanos.values().removeIf(until -> until - now <= 0);
        Set<Long> left = new HashSet<>(without);
        left.addAll(stuckUntilNanos.keySet());
        long nowMs = clock.nowMs();
        CleanPlan dirtiest = null;
        for (StreamState stream : image.streams()) {
            if (isOurs(stream) && !left.contains(stream.streamId())) {
                CleanPlan plan = CleanPlan.of(stream, configs.apply(stream.topic()), settings, nowMs);
                if (plan != null && (dirtiest == null || plan.ratio() > dirtiest.ratio())) {
                    dirtiest = plan;
                }
            }
        }
        return dirtiest;
    }
}
