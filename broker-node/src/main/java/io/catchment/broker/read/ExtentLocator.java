package io.catchment.broker.read;

import io.catchment.wal.FrameEntry;
import io.catchment.wal.Wal;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Finds the local extent that holds an offset of a stream. Thread-safe.
 *
 * <p>Most reads follow the one before, so each stream has a hint: the extent that answered last, and a stretch of offsets known
 * to be in no local extent (extents of a stream are only deleted, so what was absent stays absent; an extent that comes
 * back by repair is found by {@link #search} at the latest when the catalog lacks the offset). Without a hint all extents are
 * asked, newest first; each answers from its index in memory.
 */
final class ExtentLocator {
    private static final int HINTS_MAX = 100_000;
    private static final long NO_EXTENT = -1;

    private final Wal wal;
    private final ConcurrentHashMap<Long, Hint> hints = new ConcurrentHashMap<>();

    ExtentLocator(Wal wal) {
        this.wal = wal;
    }

    /** Offsets from {@code absentFrom} to before {@code absentTo} lie in no local extent. */
    private record Hint(long extentId, long absentFrom, long absentTo) {}

    /** The extent whose DATA frames hold the offset; empty when it is probably in none. */
    OptionalLong locate(long streamId, long offset) {
        Hint hint = hints.get(streamId);
        if (hint != null) {
            if (hint.extentId() != NO_EXTENT && holds(hint.extentId(), streamId, offset)) {
                return OptionalLong.of(hint.extentId());
            }
            if (offset >= hint.absentFrom() && offset < hint.absentTo()) {
                return OptionalLong.empty();
            }
        }
        return search(streamId, offset);
    }

    /** Like {@link #locate}, asking every extent. */
    OptionalLong search(long streamId, long offset) {
        List<Long> extents = wal.extents();
        for (int i = extents.size() - 1; i >= 0; i--) {
            long extentId = extents.get(i);
            if (holds(extentId, streamId, offset)) {
                remember(streamId, new Hint(extentId, 0, 0));
                return OptionalLong.of(extentId);
            }
        }
        remember(streamId, new Hint(NO_EXTENT, offset, lowestAfter(extents, streamId, offset)));
        return OptionalLong.empty();
    }

    private void remember(long streamId, Hint hint) {
        if (hints.size() >= HINTS_MAX) {
            hints.clear();
        }
        hints.put(streamId, hint);
    }

    private boolean holds(long extentId, long streamId, long offset) {
        return wal.floor(extentId, streamId, offset)
                .filter(frame -> frame.endOffset() > offset)
                .isPresent();
    }

    /** Where the local part after the offset begins: the answer bounds an absent stretch, so it must not be too large. */
    private long lowestAfter(List<Long> extents, long streamId, long offset) {
        long lowest = Long.MAX_VALUE;
        for (long extentId : extents) {
            for (FrameEntry frame : wal.index(extentId, streamId)) {
                if (frame.endOffset() > offset) {
                    lowest = Math.min(lowest, frame.baseOffset());
                    break;
                }
            }
        }
        return lowest == Long.MAX_VALUE ? offset : lowest;
    }
}
