package io.catchment.broker.node;

import io.catchment.broker.compaction.Compactions;
import io.catchment.broker.config.NodeConfig;
import io.catchment.broker.flush.FlushStats;
import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.manifest.ManifestKeeper;
import io.catchment.broker.manifest.ManifestSettings;
import io.catchment.broker.merge.MergeMeans;
import io.catchment.broker.merge.MergeSettings;
import io.catchment.broker.merge.Merges;
import io.catchment.broker.merge.Rewrites;
import io.catchment.broker.topic.TopicConfig;
import io.catchment.broker.topic.TopicConfigs;
import io.catchment.objectstore.cache.SpanReader;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/** The thread of an epoch that writes published ranges anew: merges, key compaction and manifests. */
final class RewriteThread {
    /** With more than this to flush nothing is rewritten. */
    private static final long BACKLOG_BYTES_MAX = 512L << 20;

    private RewriteThread() {}

    static void start(
            NodeParts parts, EpochControlPlane controlPlane, long epoch, Supplier<FlushStats> flush, Closers closers) {
        NodeConfig config = parts.config();
        MergeSettings settings = config.store().merge();
        SpanReader reading = closers.add(
                "rewrite reader", new SpanReader(parts.store(), PooledByteBufAllocator.DEFAULT, parts.timer()));
        SerialThread loop = new SerialThread("rewrite", Thread.MIN_PRIORITY);
        MergeMeans means = new MergeMeans(
                controlPlane,
                parts.uploader(),
                reading,
                PooledByteBufAllocator.DEFAULT,
                config.scratchDirectory(),
                config.nodeId(),
                epoch);
        TopicConfigs topics = TopicConfigs.of(controlPlane, config.topics().schema());
        Rewrites rewrites = closers.add(
                "rewrites",
                new Rewrites(
                        List.of(
                                new Merges(
                                        means,
                                        settings,
                                        topic -> mustKnowItsAge(topics.forTopic(topic)),
                                        topic -> deletesByAge(topics.forTopic(topic)),
                                        loop,
                                        parts.mergeMeters()),
                                new Compactions(
                                        means,
                                        settings,
                                        config.store().compaction(),
                                        topics::forTopic,
                                        loop,
                                        parts.compactionMeters())),
                        means,
                        settings,
                        () -> isBehind(flush.get()),
                        loop,
                        new SplittableRandom()));
        ManifestKeeper manifests = closers.add(
                "manifest keeper",
                new ManifestKeeper(
                        means,
                        ManifestSettings.DEFAULT.withTimesOf(settings),
                        topic -> !topics.forTopic(topic).compacted(),
                        () -> isBehind(flush.get()),
                        loop,
                        new SplittableRandom(),
                        parts.manifestMeters()));
        closers.add("rewrite thread", loop);
        rewrites.start();
        manifests.start();
    }

    /** When its oldest dirty range must be compacted: merged with later ones it would seem younger. */
    private static boolean mustKnowItsAge(TopicConfig config) {
        return config.compacted() && config.maxCompactionLagMs() != Long.MAX_VALUE;
    }

    /** Of what it compacts, too: merged whatever their ages, ranges would stay as long as the youngest. */
    private static boolean deletesByAge(TopicConfig config) {
        return config.compacted() && config.deletes() && config.retentionMs() >= 0;
    }

    private static boolean isBehind(FlushStats flush) {
        long unflushed = flush.unflushedBytes().values().stream()
                .mapToLong(Long::longValue)
                .sum();
        return flush.storeFailures() > 0 || unflushed > BACKLOG_BYTES_MAX;
    }
}
