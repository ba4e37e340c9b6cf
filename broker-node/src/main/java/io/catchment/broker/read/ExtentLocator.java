package io.catchment.broker.read;

import io.catchment.wal.Wal;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the local extent that holds an offset of a stream, and remembers where on other nodes one was found. Thread-safe.
 *
 * <p>Asking every extent costs a disk read for each that has the stream (sealed extents keep their index in the file), so what earlier
 * reads found is remembered for each stream: a few spans of offsets, a reader each. A span may be wrong by now, and then costs a
 * detour: the extent has nothing to read, or the object is read though an extent has it too.
 */
final class ExtentLocator {
    private static final Logger LOG = LoggerFactory.getLogger(ExtentLocator.class);
    private static final int STREAMS_MAX = 100_000;
    private static final int SPANS_MAX = 8;
    static final long NO_EXTENT = -1;

    private final Wal wal;
    private final ConcurrentHashMap<Long, Span[]> spans = new ConcurrentHashMap<>();

    ExtentLocator(Wal wal) {
        this.wal = wal;
    }

    /**
     * Offsets that an extent, or none on this node ({@link #NO_EXTENT}), was found to hold.
     *
     * @param elsewhere it was read from another node
     */
    record Span(long extentId, long fromOffset, long toOffset, boolean elsewhere) {

        /** Whether to look there: an extent probably goes on after what was read from it. */
        boolean suggests(long offset) {
            return offset >= fromOffset && (offset < toOffset || (offset == toOffset && extentId != NO_EXTENT));
        }

        boolean touches(Span other) {
            return extentId == other.extentId
                    && elsewhere == other.elsewhere
                    && fromOffset <= other.toOffset
                    && other.fromOffset <= toOffset;
        }

        Span join(Span other) {
            return new Span(
                    extentId, Math.min(fromOffset, other.fromOffset), Math.max(toOffset, other.toOffset), elsewhere);
        }
    }

    /** Where earlier reads say the offset is; null if they say nothing. */
    @Nullable
    Span suggestion(long streamId, long offset) {
        Span[] known = spans.get(streamId);
        if (known != null) {
            for (Span span : known) {
                if (span.suggests(offset)) {
                    return span;
                }
            }
        }
        return null;
    }

    void found(long streamId, Span span) {
        if (spans.size() >= STREAMS_MAX) {
            spans.clear();
        }
        spans.merge(streamId, new Span[] {span}, (known, added) -> with(known, span));
    }

    /** The newest first; the one it continues is replaced, else the oldest goes when there are too many. */
    private static Span[] with(Span[] known, Span added) {
        int continued = known.length;
        for (int i = 0; i < known.length && continued == known.length; i++) {
            if (known[i].touches(added)) {
                continued = i;
            }
        }
        boolean joined = continued < known.length;
        Span[] next = new Span[Math.min(SPANS_MAX, joined ? known.length : known.length + 1)];
        next[0] = joined ? known[continued].join(added) : added;
        for (int i = 0, to = 1; i < known.length && to < next.length; i++) {
            if (i != continued) {
                next[to++] = known[i];
            }
        }
        return next;
    }

    /**
     * Asks the extents, those first that come after where a suggestion was wrong (the reader moves on), then the newest first.
     * Blocks on the disk. An extent whose index cannot be read is passed over.
     *
     * @param unreadable hears of those
     * @return {@link #NO_EXTENT} if none holds it
     */
    long search(long streamId, long offset, @Nullable Span wrong, LongConsumer unreadable) {
        List<Long> extents = wal.extents();
        int after = wrong == null ? -1 : extents.indexOf(wrong.extentId());
        int next = after < 0 ? extents.size() : after + 1;
        for (int i = next; i < extents.size(); i++) {
            if (holds(extents.get(i), streamId, offset, unreadable)) {
                return extents.get(i);
            }
        }
        for (int i = next - 1; i >= 0; i--) {
            if (holds(extents.get(i), streamId, offset, unreadable)) {
                return extents.get(i);
            }
        }
        return NO_EXTENT;
    }

    private boolean holds(long extentId, long streamId, long offset, LongConsumer unreadable) {
        try {
            return wal.floor(extentId, streamId, offset)
                    .filter(frame -> frame.endOffset() > offset)
                    .isPresent();
        } catch (UncheckedIOException e) {
            LOG.warn("The index of extent {} cannot be read: {}", extentId, e.getMessage());
            unreadable.accept(extentId);
            return false;
        }
    }
}
