package io.catchment.objectstore.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;

/**
 * Thread-safe. Recognises sequential readers of a range by where they read last, and tells how far to read ahead of them: nothing at
 * first, then twice as far with each further step, up to a bound; a jump starts over.
 */
final class ReadAhead {
    private static final int RANGES_MAX = 8192;

    private final long aheadBytesMax;
    private final long blockBytes;
    private final Cache<RangeKey, Progress> ranges = Caffeine.newBuilder()
            .maximumSize(RANGES_MAX)
            .executor(Runnable::run)
            .build();

    ReadAhead(int blocksMax, int blockBytes) {
        this.blockBytes = blockBytes;
        this.aheadBytesMax = (long) blocksMax * blockBytes;
    }

    /** Positions to load ahead, {@code from} inclusive to {@code to} exclusive; empty if they are equal. */
    record Span(long from, long to) {
        static final Span NONE = new Span(0, 0);
    }

    private record RangeKey(long objectId, long position) {}

    Span read(long objectId, long rangePosition, long rangeEnd, long start, long end) {
        if (aheadBytesMax == 0) {
            return Span.NONE;
        }
        return ranges.get(new RangeKey(objectId, rangePosition), k -> new Progress())
                .read(start, end, rangeEnd, blockBytes, aheadBytesMax);
    }

    /** Owned by its monitor, held for a few instructions. */
    private static final class Progress {
        private long lastStart = -1;
        private long lastEnd = -1;
        private long aheadTo;
        private long window;

        synchronized Span read(long start, long end, long rangeEnd, long step, long windowMax) {
            boolean again = start == lastStart;
            boolean sequential = lastStart >= 0 && start > lastStart && start <= lastEnd;
            if (sequential) {
                window = Math.min(windowMax, Math.max(step, window * 2));
            } else if (!again) {
                window = 0;
                aheadTo = 0;
            }
            lastStart = start;
            lastEnd = again ? Math.max(lastEnd, end) : end;
            long from = Math.max(aheadTo, end);
            long to = Math.min(rangeEnd, end + window);
            // Half a window is left: a request for the other half is worth its overhead.
            if (to <= from || (from - end) * 2 > window) {
                return Span.NONE;
            }
            aheadTo = to;
            return new Span(from, to);
        }
    }
}
