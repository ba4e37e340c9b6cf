package io.catchment.chaos.workload;

import java.util.Arrays;

/** Collects latencies and gives exact percentiles. Guarded by its own lock; 4 bytes per sample (microseconds). */
public final class Latencies {
    private int[] micros = new int[4096];
    private int size;

    public synchronized void addNanos(long nanos) {
        if (size == micros.length) {
            micros = Arrays.copyOf(micros, size * 2);
        }
        micros[size++] = (int) Math.min(Integer.MAX_VALUE, Math.max(0, nanos / 1000));
    }

    public synchronized int count() {
        return size;
    }

    /** Milliseconds; 0 when there are no samples. */
    public synchronized double percentileMs(double share) {
        if (size == 0) {
            return 0;
        }
        int[] sorted = Arrays.copyOf(micros, size);
        Arrays.sort(sorted);
        return sorted[(int) Math.min(size - 1L, (long) (share * size))] / 1000.0;
    }

    public String describe() {
        return "%d samples, p50 %.1f ms, p99 %.1f ms, max %.1f ms"
                .formatted(count(), percentileMs(0.5), percentileMs(0.99), percentileMs(1));
    }
}
