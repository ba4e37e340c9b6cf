package io.catchment.chaos.history;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * When each record of one topic was acknowledged and how long it had waited for that: tells pauses, per partition, and latencies over
 * any span of time. Times are {@link System#nanoTime}. Guarded by its own lock; 20 bytes per record.
 */
public final class AckTimes {
    private final int partitions;
    private int[] partition = new int[4096];
    private long[] acknowledged = new long[4096];
    private long[] waited = new long[4096];
    private int size;
    private final long[] last;

    /** @param partitions of the topic; those without a single acknowledgement count as paused from the beginning */
    public AckTimes(int partitions) {
        this.partitions = partitions;
        this.last = new long[partitions];
        Arrays.fill(last, System.nanoTime());
    }

    public void acknowledged(int partition, long sentNanos) {
        synchronized (this) {
            // the clock is read under the lock: entries are in the order of time
            add(partition, sentNanos, System.nanoTime());
        }
    }

    synchronized void add(int partition, long sentNanos, long nowNanos) {
        if (size == this.partition.length) {
            int larger = size * 2;
            this.partition = Arrays.copyOf(this.partition, larger);
            acknowledged = Arrays.copyOf(acknowledged, larger);
            waited = Arrays.copyOf(waited, larger);
        }
        this.partition[size] = partition;
        acknowledged[size] = nowNanos;
        waited[size] = nowNanos - sentNanos;
        size++;
        last[partition] = nowNanos;
    }

    public int partitions() {
        return partitions;
    }

    /** How many of these partitions have had an acknowledgement since. */
    public synchronized int writtenSince(long nanos, Set<Integer> of) {
        return (int) of.stream().filter(p -> last[p] >= nanos).count();
    }

    /** Time of the longest silence that is going on, over all partitions. */
    public synchronized long longestSilenceNanos() {
        long now = System.nanoTime();
        return now - Arrays.stream(last).min().orElse(now);
    }

    /**
     * A stretch of time in which no record of a partition was acknowledged.
     *
     * @param startNanos of the acknowledgement before it
     */
    public record Gap(int partition, long startNanos, long endNanos) {
        public double ms() {
            return (endNanos - startNanos) / 1e6;
        }
    }

    /** The longest gap of each partition of those that touch the span; at its whole length, but not beyond the last acknowledgement of all. */
    public synchronized Map<Integer, Gap> longestGaps(long fromNanos, long toNanos) {
        Map<Integer, Gap> longest = new TreeMap<>();
        if (size == 0) {
            return longest;
        }
        long end = acknowledged[size - 1];
        long[] before = new long[partitions];
        Arrays.fill(before, acknowledged[0]);
        for (int i = 0; i < size; i++) {
            int p = partition[i];
            gap(longest, p, before[p], acknowledged[i], fromNanos, toNanos);
            before[p] = acknowledged[i];
        }
        for (int p = 0; p < partitions; p++) {
            gap(longest, p, before[p], end, fromNanos, toNanos);
        }
        return longest;
    }

    private static void gap(Map<Integer, Gap> longest, int partition, long start, long end, long from, long to) {
        if (start < to && end > from) {
            longest.merge(partition, new Gap(partition, start, end), (a, b) -> a.ms() >= b.ms() ? a : b);
        }
    }

    /** Wait of the given share of these partitions' records acknowledged in the span, milliseconds; 0 when there are none. */
    public synchronized double waitMs(long fromNanos, long toNanos, Set<Integer> of, double share) {
        boolean[] wanted = new boolean[partitions];
        of.forEach(p -> wanted[p] = true);
        long[] waits = new long[size];
        int count = 0;
        for (int i = 0; i < size; i++) {
            if (acknowledged[i] >= fromNanos && acknowledged[i] < toNanos && wanted[partition[i]]) {
                waits[count++] = waited[i];
            }
        }
        return percentileMs(waits, count, share);
    }

    /** The longest wait of a record of each partition, of those acknowledged in the span, milliseconds. */
    public synchronized Map<Integer, Double> longestWaitsMs(long fromNanos, long toNanos) {
        Map<Integer, Double> longest = new TreeMap<>();
        for (int i = 0; i < size; i++) {
            if (acknowledged[i] >= fromNanos && acknowledged[i] < toNanos) {
                longest.merge(partition[i], waited[i] / 1e6, Math::max);
            }
        }
        return longest;
    }

    private static double percentileMs(long[] values, int count, double share) {
        if (count == 0) {
            return 0;
        }
        long[] sorted = Arrays.copyOf(values, count);
        Arrays.sort(sorted);
        return sorted[(int) Math.min(count - 1L, (long) (share * count))] / 1e6;
    }
}
