package io.catchment.chaos.history;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * Every acknowledgement of one topic: where the record was put, and which it was. Guarded by its own lock; 24 bytes per record.
 */
public final class AckLog {
    private final Map<Integer, Partition> partitions = new TreeMap<>();
    private long count;

    public synchronized void acknowledged(int partition, long offset, int producer, long sequence, int crc) {
        partitions.computeIfAbsent(partition, p -> new Partition()).add(offset, producer, sequence, crc);
        count++;
    }

    public synchronized long count() {
        return count;
    }

    /** The acknowledgements of a partition by offset. */
    synchronized Acks of(int partition) {
        Partition acks = partitions.get(partition);
        return acks == null ? new Acks(new long[0], new int[0], new long[0], new int[0]) : acks.sorted();
    }

    synchronized int partitionsEnd() {
        return partitions.isEmpty() ? 0 : ((TreeMap<Integer, Partition>) partitions).lastKey() + 1;
    }

    /** Parallel arrays in the order of offsets. Immutable by agreement. */
    record Acks(long[] offset, int[] producer, long[] sequence, int[] crc) {
        int size() {
            return offset.length;
        }
    }

    private static final class Partition {
        private long[] offset = new long[1024];
        private int[] producer = new int[1024];
        private long[] sequence = new long[1024];
        private int[] crc = new int[1024];
        private int size;

        void add(long offset, int producer, long sequence, int crc) {
            if (size == this.offset.length) {
                int larger = size + (size >> 1);
                this.offset = Arrays.copyOf(this.offset, larger);
                this.producer = Arrays.copyOf(this.producer, larger);
                this.sequence = Arrays.copyOf(this.sequence, larger);
                this.crc = Arrays.copyOf(this.crc, larger);
            }
            this.offset[size] = offset;
            this.producer[size] = producer;
            this.sequence[size] = sequence;
            this.crc[size] = crc;
            size++;
        }

        /** Acknowledgements of one producer come in order of offsets, those of several are merged here. */
        Acks sorted() {
            boolean inOrder = true;
            for (int i = 1; i < size; i++) {
                inOrder &= offset[i - 1] <= offset[i];
            }
            if (inOrder) {
                return new Acks(
                        Arrays.copyOf(offset, size),
                        Arrays.copyOf(producer, size),
                        Arrays.copyOf(sequence, size),
                        Arrays.copyOf(crc, size));
            }
            Integer[] order = new Integer[size];
            Arrays.setAll(order, i -> i);
            Arrays.sort(order, (a, b) -> Long.compare(offset[a], offset[b]));
            var sorted = new Acks(new long[size], new int[size], new long[size], new int[size]);
            for (int i = 0; i < size; i++) {
                sorted.offset[i] = offset[order[i]];
                sorted.producer[i] = producer[order[i]];
                sorted.sequence[i] = sequence[order[i]];
                sorted.crc[i] = crc[order[i]];
            }
            return sorted;
        }
    }
}
