package io.catchment.broker.partition;

import io.catchment.broker.batch.BatchHeader;
import io.catchment.controlplane.StreamState;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The frames of one stream in its unflushed extents, by offset, a checkpoint after its data. Immutable. */
final class StreamFrames {
    private final List<Located> frames;

    record Located(long extentId, FrameEntry entry) {}

    private StreamFrames(List<Located> frames) {
        this.frames = frames;
    }

    static StreamFrames of(Map<Long, List<FrameEntry>> byExtent) {
        List<Located> frames = new ArrayList<>();
        byExtent.forEach((extentId, entries) -> entries.forEach(entry -> frames.add(new Located(extentId, entry))));
        frames.sort(Comparator.comparingLong((Located frame) -> frame.entry().endOffset())
                .thenComparing(frame -> frame.entry().kind()));
        return new StreamFrames(frames);
    }

    /**
     * Where the stream ends: after the catalog and the frames that follow it without a gap. It ends at or after the start of its last
     * epoch, since that was told by one who knew; what falls short of it was not all to be seen (P1).
     *
     * @throws StreamNotReadableException when offsets are missing
     * @throws IllegalStateException when two frames hold the same offset, or an epoch wrote after a later one (P4 is broken)
     */
    long endOffset(StreamState stream) {
        long end = stream.catalogEndOffset();
        FrameEntry last = null;
        for (Located frame : frames) {
            FrameEntry entry = frame.entry();
            if (entry.kind() != FrameKind.DATA || entry.endOffset() <= stream.catalogEndOffset()) {
                continue;
            }
            if (entry.baseOffset() > end) {
                throw missing(stream, end, entry.baseOffset());
            }
            if (last != null && (entry.baseOffset() < end || entry.epoch() < last.epoch())) {
                throw new IllegalStateException(name(stream) + " has offsets " + last.baseOffset() + " to "
                        + last.endOffset() + " of epoch " + last.epoch() + " and " + entry.baseOffset() + " to "
                        + entry.endOffset() + " of epoch " + entry.epoch() + " (in extent " + frame.extentId()
                        + "): two owners wrote at a time (P4)");
            }
            end = entry.endOffset();
            last = entry;
        }
        long known = lastStart(stream);
        if (end < known) {
            throw missing(stream, end, known);
        }
        return end;
    }

    private static long lastStart(StreamState stream) {
        List<StreamState.EpochStart> starts = stream.epochStarts();
        return starts.isEmpty() ? 0 : starts.get(starts.size() - 1).startOffset();
    }

    private static StreamNotReadableException missing(StreamState stream, long from, long to) {
        return new StreamNotReadableException(name(stream) + " misses offsets " + from + " to " + to
                + ": they are in no published range and no extent shows them");
    }

    static String name(StreamState stream) {
        return "stream " + stream.streamId() + " (" + stream.topic() + "-" + stream.partition() + ")";
    }

    @Nullable
    Located lastCheckpoint() {
        for (int i = frames.size() - 1; i >= 0; i--) {
            if (frames.get(i).entry().kind() == FrameKind.CHECKPOINT) {
                return frames.get(i);
            }
        }
        return null;
    }

    /** Whether the frames have all offsets between these two. */
    boolean cover(long fromOffset, long toOffset) {
        long end = fromOffset;
        for (Located frame : frames) {
            FrameEntry entry = frame.entry();
            if (entry.kind() == FrameKind.DATA && entry.baseOffset() <= end && entry.endOffset() > end) {
                end = entry.endOffset();
            }
        }
        return end >= toOffset;
    }

    /** The first marker of a transaction at or after the offset, whose end a head does not tell; the end if there is none. */
    long firstMarker(long fromOffset, long endOffset) {
        for (Located frame : frames) {
            FrameEntry entry = frame.entry();
            if (entry.kind() == FrameKind.DATA
                    && entry.endOffset() > fromOffset
                    && BatchHeader.isControl(ByteBuffer.wrap(entry.head()), 0)) {
                return entry.baseOffset();
            }
        }
        return endOffset;
    }

    /** Takes in the headers of the batches between the offsets: the first lies inside one only where the log begins there. */
    void replay(ProducerStates producers, long fromOffset, long toOffset) {
        for (Located frame : frames) {
            FrameEntry entry = frame.entry();
            if (entry.kind() == FrameKind.DATA && entry.endOffset() > fromOffset && entry.baseOffset() < toOffset) {
                producers.replay(ByteBuffer.wrap(entry.head()), 0);
            }
        }
    }
}
