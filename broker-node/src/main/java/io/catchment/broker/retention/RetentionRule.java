package io.catchment.broker.retention;

import io.catchment.broker.topic.TopicConfig;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How much of a stream's beginning its topic's retention lets go. Pure.
 *
 * <p>Published ranges take the place of Kafka's segments: one goes as a whole, when its newest record is older than
 * {@code retention.ms}, or when without it at least {@code retention.bytes} are left. What is not published yet is never old enough:
 * it is some seconds old, and what an outage of the object store holds back must not go unpublished.
 */
final class RetentionRule {
    private static final long NO_LIMIT = -1;

    private RetentionRule() {}

    /**
     * What retention says of a stream.
     *
     * @param logStartOffset where it is to begin; at its present beginning when nothing goes
     * @param undecided a manifest of which some ranges go, perhaps more than that: what it lists has to be known
     */
    record Verdict(long logStartOffset, @Nullable ManifestRef undecided) {}

    /** @param listed the ranges of manifests that are known, by the manifest's id */
    static Verdict of(StreamState stream, TopicConfig config, long nowMs, Map<Long, List<OwnedRange>> listed) {
        long start = stream.logStartOffset();
        if (!config.deletes()) {
            return new Verdict(start, null);
        }
        boolean bySize = config.retentionBytes() != NO_LIMIT;
        long excessBytes = bySize ? stream.publishedBytes() - config.retentionBytes() : 0;
        for (ManifestRef manifest : stream.manifests()) {
            if ((bySize && excessBytes >= manifest.bytes()) || isTooOld(manifest, config, nowMs)) {
                excessBytes -= manifest.bytes();
                start = manifest.endOffset();
                continue;
            }
            boolean tooMuch = bySize && excessBytes >= manifest.firstBytes();
            if (!tooMuch && !isTooOld(manifest.firstMaxEventTimeMs(), manifest.firstMaxAppendTimeMs(), config, nowMs)) {
                return new Verdict(start, null);
            }
            @Nullable List<OwnedRange> ranges = listed.get(manifest.objectId());
            if (ranges == null) {
                return new Verdict(start, manifest);
            }
            for (OwnedRange owned : ranges) {
                if (!goes(owned.range(), bySize, excessBytes, config, nowMs)) {
                    return new Verdict(start, null);
                }
                excessBytes -= owned.range().length();
                start = Math.max(start, owned.range().endOffset());
            }
        }
        for (StreamRange range : stream.catalog()) {
            if (!goes(range, bySize, excessBytes, config, nowMs)) {
                break;
            }
            excessBytes -= range.length();
            start = range.endOffset();
        }
        return new Verdict(start, null);
    }

    private static boolean goes(StreamRange range, boolean bySize, long excessBytes, TopicConfig config, long nowMs) {
        return (bySize && excessBytes >= range.length())
                || isTooOld(range.maxEventTimeMs(), range.maxAppendTimeMs(), config, nowMs);
    }

    /** All of it for sure: where events have times of their own, which of its ranges have none is not known here. */
    private static boolean isTooOld(ManifestRef manifest, TopicConfig config, long nowMs) {
        long newestMs = config.retentionByEventTime()
                ? Math.max(manifest.maxEventTimeMs(), manifest.maxAppendTimeMs())
                : manifest.maxAppendTimeMs();
        return config.retentionMs() != NO_LIMIT && nowMs - newestMs > config.retentionMs();
    }

    private static boolean isTooOld(long maxEventTimeMs, long maxAppendTimeMs, TopicConfig config, long nowMs) {
        boolean byEvent = config.retentionByEventTime() && maxEventTimeMs >= 0;
        long newestMs = byEvent ? maxEventTimeMs : maxAppendTimeMs;
        return config.retentionMs() != NO_LIMIT && nowMs - newestMs > config.retentionMs();
    }
}
