package io.catchment.broker.group;

import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.read.BatchRun;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.jspecify.annotations.Nullable;

/**
 * One partition in memory: batches with their offsets, and how far they are acknowledged and cached. Guarded by its monitor;
 * listeners are called without it.
 */
final class FakePartition implements PartitionView {
    private record Batch(long baseOffset, long endOffset, byte[] bytes) {}

    private final TopicPartition topicPartition;
    private final Uuid topicId;
    private final long streamId;
    private final List<Batch> batches;
    private final List<AdvanceListener> listeners = new CopyOnWriteArrayList<>();
    private final int epoch;
    private boolean owned = true;
    private boolean quorum = true;
    private boolean holding;
    private long highWatermark;
    private long cachedFrom;

    FakePartition(TopicPartition topicPartition, Uuid topicId, long streamId, int epoch) {
        this(topicPartition, topicId, streamId, epoch, new ArrayList<>());
    }

    private FakePartition(TopicPartition topicPartition, Uuid topicId, long streamId, int epoch, List<Batch> batches) {
        this.topicPartition = topicPartition;
        this.topicId = topicId;
        this.streamId = streamId;
        this.epoch = epoch;
        this.batches = batches;
        this.highWatermark = endOffset();
        // A new owner has nothing in its tail cache.
        this.cachedFrom = highWatermark;
    }

    /** The same stream with its next owner. */
    synchronized FakePartition reopened() {
        return new FakePartition(topicPartition, topicId, streamId, epoch + 1, new ArrayList<>(batches));
    }

    synchronized long endOffset() {
        return batches.isEmpty() ? 0 : batches.get(batches.size() - 1).endOffset();
    }

    /** Values of all records, those not acknowledged too. */
    synchronized List<ByteBuffer> values() {
        List<ByteBuffer> values = new ArrayList<>();
        for (Batch batch : batches) {
            MemoryRecords.readableRecords(ByteBuffer.wrap(batch.bytes()))
                    .records()
                    .forEach(record -> {
                        ByteBuffer value = record.value();
                        if (value != null) {
                            values.add(value.duplicate());
                        }
                    });
        }
        return values;
    }

    /** Appends stay unacknowledged until {@link #release}. */
    synchronized void hold() {
        holding = true;
    }

    void release() {
        synchronized (this) {
            holding = false;
        }
        acknowledge();
    }

    /** Whether the WAL's quorum answers. */
    synchronized void quorum(boolean answers) {
        quorum = answers;
    }

    void close() {
        synchronized (this) {
            owned = false;
        }
        listeners.forEach(listener -> listener.advanced(this));
    }

    long append(ByteBuffer records) {
        long end;
        synchronized (this) {
            for (MutableRecordBatch batch :
                    MemoryRecords.readableRecords(records).batches()) {
                long base = endOffset();
                batch.setLastOffset(base + batch.lastOffset() - batch.baseOffset());
                batch.setPartitionLeaderEpoch(epoch);
                ByteBuffer copy = ByteBuffer.allocate(batch.sizeInBytes());
                batch.writeTo(copy);
                batches.add(new Batch(base, batch.nextOffset(), copy.array()));
            }
            end = endOffset();
        }
        acknowledge();
        return end;
    }

    private void acknowledge() {
        synchronized (this) {
            if (holding || highWatermark == endOffset()) {
                return;
            }
            highWatermark = endOffset();
        }
        listeners.forEach(listener -> listener.advanced(this));
    }

    synchronized BatchRun read(long fromOffset, long limitOffset, int bytesMax) {
        ByteBuf payload = Unpooled.buffer();
        long base = fromOffset;
        long end = fromOffset;
        for (Batch batch : batches) {
            if (batch.endOffset() <= fromOffset || batch.endOffset() > limitOffset) {
                continue;
            }
            if (payload.isReadable() && payload.readableBytes() + batch.bytes().length > bytesMax) {
                break;
            }
            base = payload.isReadable() ? base : batch.baseOffset();
            end = batch.endOffset();
            payload.writeBytes(batch.bytes());
        }
        return new BatchRun(base, end, payload);
    }

    @Override
    public synchronized @Nullable BatchRun readTail(long fromOffset, int bytesMax) {
        return fromOffset < cachedFrom ? null : read(fromOffset, highWatermark, bytesMax);
    }

    synchronized void uncache() {
        cachedFrom = Long.MAX_VALUE;
    }

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
        return epoch;
    }

    @Override
    public synchronized boolean owned() {
        return owned;
    }

    @Override
    public synchronized boolean serving() {
        return owned && quorum;
    }

    @Override
    public long logStartOffset() {
        return 0;
    }

    @Override
    public boolean isRecent(long offset) {
        return true;
    }

    @Override
    public synchronized long highWatermark() {
        return highWatermark;
    }

    @Override
    public long lastStableOffset() {
        return highWatermark();
    }

    @Override
    public List<EpochStart> epochStarts() {
        return List.of(new EpochStart(0, 0));
    }

    @Override
    public void watch(AdvanceListener listener) {
        listeners.add(listener);
    }

    @Override
    public void unwatch(AdvanceListener listener) {
        listeners.remove(listener);
    }

    int watchers() {
        return listeners.size();
    }
}
