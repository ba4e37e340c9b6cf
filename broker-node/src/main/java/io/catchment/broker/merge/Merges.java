package io.catchment.broker.merge;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.merge.MergePlan.StreamMerge;
import io.catchment.controlplane.ClusterImage;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Merges the published ranges of the streams that this node has open, one object at a time. Owned by the loop. */
public final class Merges implements RewriteSource {
    private static final Logger LOG = LoggerFactory.getLogger(Merges.class);

    private final MergeMeans means;
    private final MergeSettings settings;
    private final Predicate<String> dirtyStays;
    private final Predicate<String> cleanStays;
    private final SerialLoop loop;
    private final MergeMetrics metrics;

    /**
     * @param dirtyStays topics of which only what is compacted is merged: how old the rest is must stay known
     * @param cleanStays topics of which what is compacted is not merged: compaction joins of it what is of one age
     */
    public Merges(
            MergeMeans means,
            MergeSettings settings,
            Predicate<String> dirtyStays,
            Predicate<String> cleanStays,
            SerialLoop loop,
            MergeMetrics metrics) {
        this.means = means;
        this.settings = settings;
        this.dirtyStays = dirtyStays;
        this.cleanStays = cleanStays;
        this.loop = loop;
        this.metrics = metrics;
    }

    @Override
    public @Nullable RewriteStep next(ClusterImage image, Set<Long> without) {
        MergePlan plan =
                MergePlan.of(image, means.nodeId(), means.nodeEpoch(), settings, without, dirtyStays, cleanStays);
        return plan.isEmpty() ? null : new MergeWork(means, plan, settings, loop, this::told);
    }

    @Override
    public Set<Long> busy() {
        return Set.of();
    }

    private void told(List<StreamMerge> streams, @Nullable Long bytes) {
        if (bytes == null) {
            metrics.failed();
            return;
        }
        int ranges = streams.stream().mapToInt(merge -> merge.inputs().size()).sum();
        metrics.merged(streams.size(), ranges, bytes);
        LOG.info("Merged {} ranges of {} streams into {} bytes", ranges, streams.size(), bytes);
    }
}
