package io.catchment.broker.partition;

import io.catchment.broker.read.BatchRun;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * The newest acknowledged batches of one partition, in memory. Written by the partition's event loop (and evicted by it:
 * {@link TailBudget}), read from any thread; guarded by its own lock, held for microseconds.
 */
final class Tail {
    /** Below this mean size, gathering many buffers costs more than copying them. */
    private static final int COPY_BELOW_BYTES = 2048;

    private Entry[] ring = new Entry[8];
    private int first;
    private int size;
    private boolean closed;

    private record Entry(long baseOffset, long endOffset, ByteBuf payload) {}

    /** Takes over one reference of the payload; false (and released) when the tail is closed. */
    synchronized boolean add(long baseOffset, long endOffset, ByteBuf payload) {
        if (closed) {
            payload.release();
            return false;
        }
        if (size == ring.length) {
            grow();
        }
        ring[(first + size) & (ring.length - 1)] = new Entry(baseOffset, endOffset, payload);
        size++;
        return true;
    }

    /** Drops the oldest batch; how many bytes that freed, 0 if there was none. */
    synchronized int evictOldest() {
        if (size == 0) {
            return 0;
        }
        Entry entry = ring[first];
        ring[first] = null;
        first = (first + 1) & (ring.length - 1);
        size--;
        int bytes = entry.payload().readableBytes();
        entry.payload().release();
        return bytes;
    }

    /** Drops everything and takes nothing more; how many bytes that freed. */
    synchronized long close() {
        closed = true;
        long bytes = 0;
        while (size > 0) {
            bytes += evictOldest();
        }
        return bytes;
    }

    /** Whole batches from the one that holds the offset on, at least one, none that ends past the limit; null if there is none. */
    synchronized @Nullable BatchRun read(long fromOffset, long limitOffset, int bytesMax) {
        int index = floor(fromOffset);
        if (index < 0 || at(index).endOffset() > limitOffset) {
            return null;
        }
        int count = 0;
        long bytes = 0;
        while (index + count < size && at(index + count).endOffset() <= limitOffset) {
            int next = at(index + count).payload().readableBytes();
            if (count > 0 && bytes + next > bytesMax) {
                break;
            }
            bytes += next;
            count++;
        }
        return new BatchRun(
                at(index).baseOffset(), at(index + count - 1).endOffset(), gather(index, count, (int) bytes));
    }

    private ByteBuf gather(int index, int count, int bytes) {
        if (count == 1) {
            return at(index).payload().retainedDuplicate();
        }
        if (bytes / count < COPY_BELOW_BYTES) {
            ByteBuf copy = PooledByteBufAllocator.DEFAULT.directBuffer(bytes);
            for (int i = 0; i < count; i++) {
                ByteBuf payload = at(index + i).payload();
                copy.writeBytes(payload, payload.readerIndex(), payload.readableBytes());
            }
            return copy;
        }
        CompositeByteBuf all = PooledByteBufAllocator.DEFAULT.compositeDirectBuffer(count);
        for (int i = 0; i < count; i++) {
            all.addComponent(true, at(index + i).payload().retainedDuplicate());
        }
        return all;
    }

    /** Index of the entry that holds the offset; -1 if it is not here. */
    private int floor(long offset) {
        if (size == 0 || offset < at(0).baseOffset() || offset >= at(size - 1).endOffset()) {
            return -1;
        }
        int low = 0;
        int high = size - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (at(middle).baseOffset() <= offset) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    private Entry at(int index) {
        return ring[(first + index) & (ring.length - 1)];
    }

    private void grow() {
        Entry[] larger = new Entry[ring.length * 2];
        for (int i = 0; i < size; i++) {
            larger[i] = at(i);
        }
        ring = larger;
        first = 0;
    }
}
