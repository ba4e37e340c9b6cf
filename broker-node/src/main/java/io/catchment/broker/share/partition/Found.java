package io.catchment.broker.share.partition;

import java.util.List;

/**
 * What a read of the log brought.
 *
 * @param fromOffset asked for
 * @param spans in offset order; offsets between them are not in the log any more
 */
public record Found(long fromOffset, List<Span> spans) {
    public Found {
        spans = List.copyOf(spans);
    }

    /** @param deliverable false for markers and for records of aborted transactions that the group does not read */
    public record Span(long firstOffset, long lastOffset, boolean deliverable) {
        public Span {
            if (lastOffset < firstOffset) {
                throw new IllegalArgumentException("offsets " + firstOffset + " to " + lastOffset);
            }
        }
    }
}
