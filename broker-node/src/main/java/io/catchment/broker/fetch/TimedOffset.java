package io.catchment.broker.fetch;

import org.apache.kafka.common.requests.ListOffsetsResponse;

/**
 * An answer of ListOffsets: a record's timestamp, its offset and its leader epoch; -1 for what does not apply.
 *
 * @param timestampMs event time (or append time for topics that say so), ms since the Unix epoch
 */
record TimedOffset(long timestampMs, long offset, int leaderEpoch) {
    static final TimedOffset NONE = new TimedOffset(
            ListOffsetsResponse.UNKNOWN_TIMESTAMP,
            ListOffsetsResponse.UNKNOWN_OFFSET,
            ListOffsetsResponse.UNKNOWN_EPOCH);

    static TimedOffset untimed(long offset, int leaderEpoch) {
        return new TimedOffset(ListOffsetsResponse.UNKNOWN_TIMESTAMP, offset, leaderEpoch);
    }

    boolean found() {
        return offset >= 0;
    }
}
