package io.catchment.wal.store;

import io.catchment.wal.Lane;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;

/**
 * How large the next file of a lane should be, from how long its last extents became: a lane that rolls by time after a few hundred
 * kilobytes needs no 64 MiB of zeros for it. Guarded by its monitor.
 */
final class ExpectedBytes {
    private static final int EXTENTS_REMEMBERED = 8;
    private static final long LEAST = 1 << 20;
    private static final long AT_FIRST = 4 << 20;

    private final long most;
    private final Map<Lane, Deque<Long>> lengths = new EnumMap<>(Lane.class);

    /** @param most size of a file for the longest extent */
    ExpectedBytes(long most) {
        this.most = most;
    }

    synchronized void ended(Lane lane, long length) {
        Deque<Long> last = lengths.computeIfAbsent(lane, unknown -> new ArrayDeque<>());
        last.addLast(length);
        if (last.size() > EXTENTS_REMEMBERED) {
            last.removeFirst();
        }
    }

    /**
     * Twice the longest of the last extents, in powers of two.
     *
     * @param longestOpen bytes in the longest of those that are being written
     */
    synchronized long of(Lane lane, long longestOpen) {
        Deque<Long> last = lengths.get(lane);
        long longest = last == null
                ? AT_FIRST / 2
                : last.stream().mapToLong(Long::longValue).max().orElse(0);
        long wanted = Math.max(LEAST, 2 * Math.max(longest, longestOpen));
        return wanted >= most ? most : Math.min(most, Long.highestOneBit(2 * wanted - 1));
    }
}
