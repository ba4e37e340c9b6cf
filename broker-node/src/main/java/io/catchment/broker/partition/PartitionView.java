package io.catchment.broker.partition;

import io.catchment.broker.read.BatchRun;
import io.catchment.controlplane.StreamState;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** What readers and request handlers may ask of an open partition of this node, from any thread. */
public interface PartitionView {

    TopicPartition topicPartition();

    Uuid topicId();

    long streamId();

    int leaderEpoch();

    /** False, for good, once ownership was lost or the partition was deleted. */
    boolean owned();

    /**
     * Whether to answer clients: false when it is not {@link #owned}, and for a time while this node cannot know whether it still is,
     * since the quorum of a lane does not answer. Say NOT_LEADER_OR_FOLLOWER meanwhile.
     */
    boolean serving();

    /** Another node owns it: what is known here of its end may be late, and is -1 until the owner has said something. */
    default boolean isNear() {
        return false;
    }

    /** Of a {@link #isNear near} one: the owner has been silent for so long that there may be more than is known here. */
    default boolean isBehind() {
        return false;
    }

    long logStartOffset();

    /** The acknowledged end: readers see offsets below it only (P3). */
    long highWatermark();

    /** Whether the record at the offset was acknowledged a moment ago, or will be: who reads older ones catches up. */
    boolean isRecent(long offset);

    /** Where the first transaction begins that is not decided; the high watermark while there is none. */
    long lastStableOffset();

    /** Aborted transactions with records in the stretch, as far as their markers lie at or after {@link #abortedKnownFrom}. */
    default List<AbortedTransaction> aborted(long fromOffset, long toOffset) {
        return List.of();
    }

    default long abortedKnownFrom() {
        return 0;
    }

    /** End of the given leader epoch as OffsetForLeaderEpoch wants it (KIP-101, KIP-320); empty list entry semantics as in Kafka. */
    List<EpochStart> epochStarts();

    record EpochStart(int epoch, long startOffset) {}

    static List<EpochStart> epochStarts(StreamState stream) {
        return stream.epochStarts().stream()
                .map(start -> new EpochStart(start.epoch(), start.startOffset()))
                .toList();
    }

    /**
     * Whole acknowledged batches from the tail cache, from the one that holds {@code fromOffset} on, at least one; null when the
     * offset is not cached (then ask the StreamReader). The receiver releases the payload.
     */
    @Nullable
    BatchRun readTail(long fromOffset, int bytesMax);

    /** The listener runs on the partition's event loop after each advance of the high watermark or of the log's start, and when ownership ends. */
    void watch(AdvanceListener listener);

    void unwatch(AdvanceListener listener);

    /** Hears of new acknowledged records. Must not block. */
    @FunctionalInterface
    interface AdvanceListener {
        void advanced(PartitionView partition);
    }
}
