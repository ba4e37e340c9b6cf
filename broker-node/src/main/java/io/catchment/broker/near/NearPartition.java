package io.catchment.broker.near;

import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.partition.RecentOffsets;
import io.catchment.broker.partition.WatcherList;
import io.catchment.broker.read.BatchRun;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.StreamState;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * A stream that another node owns, as far as this node knows it: its beginning and epochs from the image, how far it is acknowledged and
 * decided from its owner. Written by the thread of {@link NearPartitions}, read from any.
 *
 * <p>What the owner said stays true (nothing acknowledged is ever taken back), so what lies below it is served whatever becomes of the owner;
 * at the end of what is known an owner that is silent makes this partition {@link #isBehind behind}. Ends, for good, with the owner's epoch: the
 * next owner is asked anew.
 */
final class NearPartition implements PartitionView {
    static final long UNKNOWN = -1;
    private static final int NAMED_MAX = 1_000;

    private final TopicPartition topicPartition;
    private final Uuid topicId;
    private final long streamId;
    private final int ownerNodeId;
    private final int leaderEpoch;
    private final Supplier<ClusterImage> image;
    private final WatcherList watchers = new WatcherList();
    private volatile @Nullable RecentOffsets recent;

    /** Said by the owner; this thread's only. */
    private long toldHighWatermark = UNKNOWN;

    /**
     * Last stable offsets that the owner has named and that are not shown yet, ascending. Only these are any: an offset between two of them may lie
     * between a transaction's records and its marker, and a reader that stops there takes aborted records for good ones (P3).
     */
    private final ArrayDeque<Stable> toldLastStable = new ArrayDeque<>();

    /** @param markersBelow the high watermark at that time: where an older transaction is open, the markers of later ones lie behind the stable offset */
    private record Stable(long offset, long markersBelow) {}

    private boolean followed;

    private volatile long highWatermark = UNKNOWN;
    private volatile long lastStable = UNKNOWN;
    private long shownStart;
    private volatile boolean silent;
    private volatile boolean closed;
    private volatile long usedNanos;

    NearPartition(StreamState stream, Supplier<ClusterImage> image) {
        this.topicPartition = new TopicPartition(stream.topic(), stream.partition());
        this.topicId = stream.topicId();
        this.streamId = stream.streamId();
        this.ownerNodeId = stream.ownerNodeId();
        this.leaderEpoch = stream.epoch();
        this.shownStart = stream.logStartOffset();
        this.image = image;
    }

    int ownerNodeId() {
        return ownerNodeId;
    }

    /** Whether it is the stream as the image has it: the same owner in the same epoch. */
    boolean isOf(@Nullable StreamState stream) {
        return stream != null && stream.epoch() == leaderEpoch && stream.ownerNodeId() == ownerNodeId;
    }

    void used(long nowNanos) {
        usedNanos = nowNanos;
    }

    boolean isIdle(long nowNanos, long idleNanos) {
        return nowNanos - usedNanos > idleNanos && watchers.isEmpty();
    }

    // ---- what the owner says

    /** Whether this is the first time. */
    boolean follow() {
        boolean first = !followed;
        followed = true;
        return first;
    }

    /** Neither ever falls, whatever order answers come in. */
    void told(long newHighWatermark, long newLastStable) {
        toldHighWatermark = Math.max(toldHighWatermark, newHighWatermark);
        Stable newest = toldLastStable.peekLast();
        if (newLastStable > (newest == null ? lastStable : newest.offset())) {
            if (toldLastStable.size() == NAMED_MAX) {
                toldLastStable.removeFirst();
            }
            toldLastStable.addLast(new Stable(newLastStable, newHighWatermark));
        }
    }

    long toldHighWatermark() {
        return toldHighWatermark;
    }

    /** Readers may have what was told, up to this offset. */
    void show(long upTo, long nowNanos) {
        long newHighWatermark = Math.max(highWatermark, Math.min(upTo, toldHighWatermark));
        long newLastStable = lastStable;
        for (Stable named = toldLastStable.peekFirst();
                named != null && named.markersBelow() <= newHighWatermark;
                named = toldLastStable.peekFirst()) {
            newLastStable = named.offset();
            toldLastStable.removeFirst();
        }
        if (newHighWatermark == highWatermark && newLastStable == lastStable) {
            return;
        }
        RecentOffsets known = recent;
        if (known == null) {
            recent = new RecentOffsets(newHighWatermark, nowNanos);
        } else {
            known.advanced(highWatermark, nowNanos);
        }
        // In this order: who reads the stable offset after the high watermark finds it at most as far.
        lastStable = newLastStable;
        highWatermark = newHighWatermark;
        watchers.advanced(this);
    }

    /** The image has changed. */
    void look() {
        long start = logStartOffset();
        if (start != shownStart) {
            shownStart = start;
            watchers.advanced(this);
        }
    }

    void silent(boolean now) {
        if (silent != now) {
            silent = now;
            watchers.advanced(this);
        }
    }

    void close() {
        if (!closed) {
            closed = true;
            watchers.advanced(this);
        }
    }

    // ---- view

    @Override
    public TopicPartition topicPartition() {
        return topicPartition;
    }

    @Override
    public Uuid topicId() {
        return topicId;
    }

    @Override
    public long streamId() {
        return streamId;
    }

    @Override
    public int leaderEpoch() {
        return leaderEpoch;
    }

    @Override
    public boolean owned() {
        return !closed;
    }

    @Override
    public boolean serving() {
        return !closed;
    }

    @Override
    public boolean isNear() {
        return true;
    }

    @Override
    public boolean isBehind() {
        return silent;
    }

    private Optional<StreamState> stream() {
        return image.get().stream(streamId);
    }

    @Override
    public long logStartOffset() {
        return stream().map(StreamState::logStartOffset).orElse(0L);
    }

    @Override
    public long highWatermark() {
        return highWatermark;
    }

    @Override
    public boolean isRecent(long offset) {
        RecentOffsets known = recent;
        return known == null || known.has(offset);
    }

    @Override
    public long lastStableOffset() {
        return lastStable;
    }

    /** Nothing is remembered here: markers in the log say which transactions were aborted. */
    @Override
    public long abortedKnownFrom() {
        return Long.MAX_VALUE;
    }

    @Override
    public List<EpochStart> epochStarts() {
        return stream().map(stream -> PartitionView.epochStarts(stream)).orElse(List.of());
    }

    @Override
    public @Nullable BatchRun readTail(long fromOffset, int bytesMax) {
        return null;
    }

    @Override
    public void watch(AdvanceListener listener) {
        watchers.add(listener);
    }

    @Override
    public void unwatch(AdvanceListener listener) {
        watchers.remove(listener);
    }
}
