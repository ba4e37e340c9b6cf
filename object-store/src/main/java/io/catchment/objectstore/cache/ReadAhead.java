package io.catchment.objectstore.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.catchment.objectstore.ObjectReader;

/**
 * Thread-safe. Recognises sequential readers of a range by where they read last, and tells how far to read ahead of them: nothing at
 * first, then twice as far with each further step, up to a bound; a jump starts over. From the end of a range to the beginning of the stream's next one is a
 * step like any other.
 */
final class ReadAhead {
    private static final int RANGES_MAX = 8192;

    private final long aheadBytesMax;
    private final long blockBytes;
    private final Cache<RangeKey, Progress> ranges = Caffeine.newBuilder()
            .maximumSize(RANGES_MAX)
            .executor(Runnable::run)
            .build();

    /** Windows that readers had at the ends of ranges. */
    private final Cache<NextKey, Long> ends = Caffeine.newBuilder()
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

    /** Where a reader goes on after a range that it has read to the end. */
    private record NextKey(long streamId, long offset) {}

    /** @param start position of the read, which goes to {@code end} */
    Span read(ObjectReader.Location range, long start, long end) {
        if (aheadBytesMax == 0) {
            return Span.NONE;
        }
        long rangeEnd = range.position() + range.length();
        Progress progress = ranges.get(
                new RangeKey(range.objectId(), range.position()),
                key -> new Progress(start == range.position() ? windowBefore(range) : 0));
        Span span = progress.read(start, end, rangeEnd, blockBytes, aheadBytesMax);
        if (end == rangeEnd) {
            ends.put(new NextKey(range.streamId(), range.endOffset()), progress.window());
        }
        return span;
    }

    private long windowBefore(ObjectReader.Location range) {
        Long window = ends.getIfPresent(new NextKey(range.streamId(), range.baseOffset()));
        return window == null ? 0 : grown(window, blockBytes, aheadBytesMax);
    }

    private static long grown(long window, long step, long max) {
        return Math.min(max, Math.max(step, window * 2));
    }

    /** Owned by its monitor, held for a few instructions. */
    private static final class Progress {
        private long lastStart = -1;
        private long lastEnd = -1;
        private long aheadTo;
        private long window;

        /** @param window to begin with */
        Progress(long window) {
            this.window = window;
        }

        synchronized long window() {
            return window;
        }

        synchronized Span read(long start, long end, long rangeEnd, long step, long windowMax) {
            boolean again = start == lastStart;
            boolean sequential = lastStart >= 0 && start > lastStart && start <= lastEnd;
            boolean first = lastStart < 0;
            if (sequential) {
                window = grown(window, step, windowMax);
            } else if (!again && !first) {
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
