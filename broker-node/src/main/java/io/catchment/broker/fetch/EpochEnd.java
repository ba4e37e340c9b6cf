package io.catchment.broker.fetch;

import io.catchment.broker.partition.PartitionView.EpochStart;
import java.util.List;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochResponse;

/** Where a leader epoch ends (KIP-101, KIP-279, KIP-320): the largest known epoch at or below the one asked for, and its end offset. */
record EpochEnd(int epoch, long endOffset) {
    static final EpochEnd UNDEFINED = new EpochEnd(
            OffsetsForLeaderEpochResponse.UNDEFINED_EPOCH, OffsetsForLeaderEpochResponse.UNDEFINED_EPOCH_OFFSET);

    /**
     * Epochs without a record (the next one starts at the same offset) count as never having been, as in Kafka. An epoch before the first known
     * one ends where the first known one starts; one after the last is undefined.
     *
     * @param starts ascending
     * @param logEnd where the last epoch ends so far
     */
    static EpochEnd of(List<EpochStart> starts, int requested, long logEnd) {
        if (starts.isEmpty() || requested < 0) {
            return UNDEFINED;
        }
        EpochStart last = starts.get(starts.size() - 1);
        if (requested == last.epoch()) {
            return new EpochEnd(requested, logEnd);
        }
        if (requested > last.epoch()) {
            return UNDEFINED;
        }
        EpochStart floor = null;
        for (int i = 0; i < starts.size(); i++) {
            EpochStart start = starts.get(i);
            boolean empty = i + 1 < starts.size() && starts.get(i + 1).startOffset() <= start.startOffset();
            if (start.epoch() > requested) {
                return new EpochEnd(floor == null ? requested : floor.epoch(), start.startOffset());
            }
            if (!empty) {
                floor = start;
            }
        }
        return UNDEFINED;
    }

    /** The leader epoch of the record at the offset, or -1 when no epoch is known there. */
    static int at(List<EpochStart> starts, long offset) {
        int epoch = OffsetsForLeaderEpochResponse.UNDEFINED_EPOCH;
        for (EpochStart start : starts) {
            if (start.startOffset() > offset) {
                break;
            }
            epoch = start.epoch();
        }
        return epoch;
    }
}
