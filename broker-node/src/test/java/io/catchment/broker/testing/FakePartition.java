package io.catchment.broker.testing;

import io.catchment.broker.partition.AbortedTransaction;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.read.BatchRun;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** A partition whose log, watermarks and serving the test decides. Thread-safe. */
public class FakePartition implements PartitionView {
    public final TrackedBuffers buffers = new TrackedBuffers();
    /** How often somebody asked for the high watermark. */
    public final AtomicInteger looks = new AtomicInteger();

    private final TopicPartition topicPartition;
    private final Uuid topicId;
    private final long streamId;
    private final List<byte[]> log = new CopyOnWriteArrayList<>();
    private final List<AdvanceListener> watchers = new CopyOnWriteArrayList<>();
    public volatile int leaderEpoch;
    public volatile List<EpochStart> epochStarts = List.of(new EpochStart(0, 0));
    public volatile long logStartOffset;
    public volatile long highWatermark;
    public volatile long lastStableOffset = Long.MAX_VALUE;
    public volatile long tailStart;
    public volatile List<AbortedTransaction> aborted = List.of();
    public volatile long abortedKnownFrom;
    public volatile long recentFrom;
    /** Of one that is read for another node: its owner is silent. */
    public volatile boolean behind;

    private volatile boolean serving = true;

    public FakePartition(String topic, Uuid topicId, int partition, long streamId) {
        this.topicPartition = new TopicPartition(topic, partition);
        this.topicId = topicId;
        this.streamId = streamId;
    }

    /** Appends and acknowledges one batch of {@code count} records; tells the watchers. */
    public byte[] append(int count, int valueBytes) {
        byte[] batch = TestBatches.batch(highWatermark, count, valueBytes);
        append(batch);
        return batch;
    }

    public void append(byte[] batch) {
        log.add(batch);
        highWatermark = TestBatches.endOffset(batch);
        announce();
    }

    public void announce() {
        watchers.forEach(watcher -> watcher.advanced(this));
    }

    /** Below this offset nothing is in the tail any more. */
    public void evictTo(long offset) {
        tailStart = offset;
    }

    public void stopServing() {
        serving = false;
        announce();
    }

    public int watchers() {
        return watchers.size();
    }

    public List<byte[]> log() {
        return log;
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
        return leaderEpoch;
    }

    @Override
    public boolean owned() {
        return serving;
    }

    @Override
    public boolean serving() {
        return serving;
    }

    @Override
    public long logStartOffset() {
        return logStartOffset;
    }

    @Override
    public boolean isRecent(long offset) {
        return offset >= recentFrom;
    }

    @Override
    public long highWatermark() {
        looks.incrementAndGet();
        return highWatermark;
    }

    @Override
    public long lastStableOffset() {
        return Math.min(lastStableOffset, highWatermark);
    }

    @Override
    public List<AbortedTransaction> aborted(long fromOffset, long toOffset) {
        return aborted.stream()
                .filter(each -> each.lastOffset() >= fromOffset && each.firstOffset() < toOffset)
                .toList();
    }

    @Override
    public long abortedKnownFrom() {
        return abortedKnownFrom;
    }

    @Override
    public List<EpochStart> epochStarts() {
        return epochStarts;
    }

    @Override
    public @Nullable BatchRun readTail(long fromOffset, int bytesMax) {
        if (fromOffset < tailStart || fromOffset >= highWatermark) {
            return null;
        }
        List<byte[]> wanted = new java.util.ArrayList<>();
        int bytes = 0;
        for (byte[] batch : log) {
            if (TestBatches.endOffset(batch) > fromOffset) {
                bytes += batch.length;
                if (!wanted.isEmpty() && bytes > bytesMax) {
                    break;
                }
                wanted.add(batch);
            }
        }
        ByteBuf payload = buffers.track(TestBatches.buffer(wanted.toArray(byte[][]::new)));
        return new BatchRun(
                TestBatches.baseOffset(wanted.get(0)), TestBatches.endOffset(wanted.get(wanted.size() - 1)), payload);
    }

    @Override
    public void watch(AdvanceListener listener) {
        watchers.add(listener);
    }

    @Override
    public void unwatch(AdvanceListener listener) {
        if (!watchers.remove(listener)) {
            throw new AssertionError("was not watching " + topicPartition);
        }
    }
}
