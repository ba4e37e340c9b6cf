package io.catchment.broker.near;

import io.catchment.broker.partition.PartitionView.EpochStart;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.testing.TestBatches;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.compress.Compression;
import org.jspecify.annotations.Nullable;

/**
 * The truth about one partition's log: what was written, how far it is acknowledged, what is deleted or compacted away. The record at an offset
 * has its number for its timestamp, so one that was cut off and one that took its offset differ. Beyond the acknowledged end the bytes of what was
 * cut off are still given to who asks for them, as a disk might. Owned by the simulation's thread.
 */
final class SimLog {
    final String topic;
    final int partition;
    final long streamId;

    private final NavigableMap<Long, Batch> written = new TreeMap<>();
    /** What was cut off last, by its first offset. */
    private final NavigableMap<Long, Batch> cutOff = new TreeMap<>();

    private final Set<Long> compacted = new HashSet<>();
    private final List<EpochStart> starts = new ArrayList<>();
    private final List<ByteBuf> handedOut = new ArrayList<>();
    private long nextNumber = 1;

    int owner;
    int epoch;
    long start;
    long acknowledged;
    long end;

    /** Whether the owner in the present epoch has opened it. */
    boolean open;

    private record Batch(long base, int count, long firstNumber, byte[] bytes) {
        long end() {
            return base + count;
        }
    }

    SimLog(String topic, int partition, long streamId, int owner) {
        this.topic = topic;
        this.partition = partition;
        this.streamId = streamId;
        this.owner = owner;
        starts.add(new EpochStart(0, 0));
    }

    List<EpochStart> starts() {
        return List.copyOf(starts);
    }

    void append(int count) {
        long[] numbers = new long[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = nextNumber + i;
        }
        written.put(
                end, new Batch(end, count, nextNumber, TestBatches.batch(end, epoch, Compression.NONE, 4, numbers)));
        nextNumber += count;
        end += count;
    }

    /** So many more batches. */
    void acknowledge(int batches) {
        for (Batch next : written.tailMap(acknowledged, true).values()) {
            if (batches-- == 0) {
                return;
            }
            acknowledged = next.end();
        }
    }

    /**
     * The former owner acknowledges nothing any more; so many of its batches that were not acknowledged are, the others are gone.
     *
     * @return where the log ended before
     */
    long changeOwner(int next, int batchesKept) {
        acknowledge(batchesKept);
        long before = end;
        NavigableMap<Long, Batch> gone = written.tailMap(acknowledged, true);
        cutOff.clear();
        cutOff.putAll(gone);
        gone.clear();
        end = acknowledged;
        owner = next;
        epoch++;
        open = false;
        starts.add(new EpochStart(epoch, end));
        return before;
    }

    void trim(long newStart) {
        start = newStart;
    }

    /** All records of the batch at the offset go, unless it is the last one. */
    void compact(long offset) {
        Map.Entry<Long, Batch> found = written.floorEntry(offset);
        if (found != null && found.getValue().end() < acknowledged) {
            Batch batch = found.getValue();
            for (long each = batch.base(); each < batch.end(); each++) {
                compacted.add(each);
            }
            written.remove(batch.base());
        }
    }

    boolean isGone(long offset) {
        return offset < start || compacted.contains(offset);
    }

    /** The number of the record, -1 if the log has none there. */
    long numberAt(long offset) {
        Map.Entry<Long, Batch> found = written.floorEntry(offset);
        return found == null || found.getValue().end() <= offset
                ? -1
                : found.getValue().firstNumber() + offset - found.getKey();
    }

    /** As {@link io.catchment.broker.read.StreamReader#read}; it believes the limit. */
    BatchRun read(long from, long limit, int bytesMax) {
        return read(from, limit, bytesMax, false);
    }

    /** @param stale from a copy that does not know that something was cut off */
    BatchRun read(long from, long limit, int bytesMax, boolean stale) {
        if (from < start) {
            return new BatchRun(from, from, Unpooled.EMPTY_BUFFER);
        }
        ByteBuf payload = Unpooled.buffer();
        long first = from;
        long at = from;
        while (true) {
            Batch next = stale && at == from && cutOff(at) != null ? cutOff(at) : next(at);
            boolean full = next == null
                    || next.end() > limit
                    || (payload.isReadable() && payload.readableBytes() + next.bytes().length > bytesMax);
            if (full) {
                break;
            }
            first = payload.isReadable() ? first : next.base();
            payload.writeBytes(next.bytes());
            at = next.end();
        }
        if (!payload.isReadable()) {
            return new BatchRun(from, from, payload);
        }
        handedOut.add(payload);
        return new BatchRun(first, at, payload);
    }

    private @Nullable Batch next(long from) {
        Map.Entry<Long, Batch> holds = written.floorEntry(from);
        if (holds != null && holds.getValue().end() > from) {
            return holds.getValue();
        }
        Map.Entry<Long, Batch> later = written.higherEntry(from);
        if (later != null) {
            return later.getValue();
        }
        return cutOff(from);
    }

    private @Nullable Batch cutOff(long offset) {
        Map.Entry<Long, Batch> gone = cutOff.floorEntry(offset);
        return gone != null && gone.getValue().end() > offset ? gone.getValue() : null;
    }

    /** Buffers somebody still holds. */
    long unreleased() {
        return handedOut.stream().filter(buffer -> buffer.refCnt() > 0).count();
    }
}
