package io.catchment.broker.retention;

import io.catchment.broker.topic.TopicConfig;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;

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

    /** The offset the stream is to begin at; its present one when nothing goes. */
    static long logStartOffset(StreamState stream, TopicConfig config, long nowMs) {
        long start = stream.logStartOffset();
        if (!config.deletes()) {
            return start;
        }
        long excessBytes = config.retentionBytes() == NO_LIMIT ? -1 : publishedBytes(stream) - config.retentionBytes();
        for (StreamRange range : stream.catalog()) {
            excessBytes -= range.length();
            boolean tooMuch = config.retentionBytes() != NO_LIMIT && excessBytes >= 0;
            if (!tooMuch && !isTooOld(range, config, nowMs)) {
                break;
            }
            start = range.endOffset();
        }
        return start;
    }

    private static boolean isTooOld(StreamRange range, TopicConfig config, long nowMs) {
        boolean byEvent = config.retentionByEventTime() && range.maxEventTimeMs() >= 0;
        long newestMs = byEvent ? range.maxEventTimeMs() : range.maxAppendTimeMs();
        return config.retentionMs() != NO_LIMIT && nowMs - newestMs > config.retentionMs();
    }

    private static long publishedBytes(StreamState stream) {
        long bytes = 0;
        for (StreamRange range : stream.catalog()) {
            bytes += range.length();
        }
        return bytes;
    }
}
