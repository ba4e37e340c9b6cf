package io.catchment.objectstore.bundle;

import io.catchment.objectstore.BundleBuilder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Owned by whoever builds. Collects payloads as parts of one composite buffer and writes the footer behind them.
 *
 * <p>A payload below {@link #GATHER_BELOW_BYTES} is copied into a gather buffer and released at once: as a part of its own it would cost a
 * slice, a component and a step of every later walk over the body (checksum, upload), which is more than a copy of it costs.
 */
public final class BundleWriter implements BundleBuilder {
    static final int GATHER_BELOW_BYTES = 16 << 10;
    private static final long BODY_BYTES_MAX = 1L << 30;

    private final ByteBufAllocator allocator;
    private final Gatherer gatherer;
    private final List<ByteBuf> parts = new ArrayList<>();
    private final List<BuiltRange> ranges = new ArrayList<>();
    private final List<BuiltCheckpoint> checkpoints = new ArrayList<>();
    private final ArrayDeque<ByteBuf> checkpointPayloads = new ArrayDeque<>();
    private final SparseIndex index = new SparseIndex();
    private final Set<Long> streams = new HashSet<>();
    private long checkpointBytes;
    private long position = BundleFormat.HEADER_BYTES;
    private boolean finished;

    private long streamId = -1;
    private boolean inStream;
    private boolean inRange;
    private long rangeBaseOffset;
    private long rangeEndOffset;
    private long rangePosition;
    private long maxEventTimeMs;
    private long maxAppendTimeMs;

    public BundleWriter(ByteBufAllocator allocator) {
        this.allocator = allocator;
        gatherer = new Gatherer(allocator);
        gatherer.add(FooterCodec.header(allocator), parts);
    }

    @Override
    public void stream(long id) {
        requireOpen();
        endRange();
        if (!streams.add(id)) {
            throw new IllegalStateException("stream " + id + " was begun before in this bundle");
        }
        streamId = id;
        inStream = true;
    }

    @Override
    public void payload(long baseOffset, long endOffset, long eventTimeMs, long appendTimeMs, ByteBuf payload) {
        int length = payload.readableBytes();
        try {
            requireStream();
            if (baseOffset < 0 || endOffset <= baseOffset || length == 0) {
                throw new IllegalArgumentException("stream " + streamId + ": payload of offsets " + baseOffset + " to "
                        + endOffset + " with " + length + " bytes");
            }
            requireRoom(length);
            if (inRange && baseOffset < rangeEndOffset) {
                throw new IllegalArgumentException("stream " + streamId + ": payload from offset " + baseOffset
                        + " after one up to " + rangeEndOffset);
            }
        } catch (RuntimeException refused) {
            payload.release();
            throw refused;
        }
        if (!inRange || baseOffset != rangeEndOffset) {
            endRange();
            beginRange(baseOffset);
        }
        index.payload(baseOffset, position, maxEventTimeMs);
        maxEventTimeMs = Math.max(maxEventTimeMs, eventTimeMs);
        maxAppendTimeMs = Math.max(maxAppendTimeMs, appendTimeMs);
        rangeEndOffset = endOffset;
        add(payload, length);
    }

    @Override
    public void checkpoint(long offset, ByteBuf payload) {
        int length = payload.readableBytes();
        try {
            requireStream();
            requireRoom(length);
        } catch (RuntimeException refused) {
            payload.release();
            throw refused;
        }
        checkpoints.add(new BuiltCheckpoint(streamId, offset, -1, length));
        checkpointPayloads.add(payload);
        checkpointBytes += length;
    }

    @Override
    public long bytes() {
        return position + checkpointBytes;
    }

    @Override
    public Built build() {
        requireOpen();
        endRange();
        finished = true;
        List<BuiltCheckpoint> placed = placeCheckpoints();
        gatherer.finish(parts);
        int[] crcs = BlockChecksums.of(parts, position);
        ByteBuf footer = FooterCodec.write(allocator, position, crcs, ranges, index, placed);
        parts.add(footer);
        CompositeByteBuf body = allocator.compositeBuffer(Math.max(16, parts.size()));
        body.addComponents(true, parts);
        parts.clear();
        return new Built(body, List.copyOf(ranges), placed);
    }

    @Override
    public void close() {
        finished = true;
        gatherer.finish(parts);
        parts.forEach(ByteBuf::release);
        parts.clear();
        checkpointPayloads.forEach(ByteBuf::release);
        checkpointPayloads.clear();
    }

    private void beginRange(long baseOffset) {
        inRange = true;
        rangeBaseOffset = baseOffset;
        rangePosition = position;
        maxEventTimeMs = Long.MIN_VALUE;
        maxAppendTimeMs = Long.MIN_VALUE;
        index.range();
    }

    private void endRange() {
        if (inRange) {
            ranges.add(new BuiltRange(
                    streamId,
                    rangeBaseOffset,
                    rangeEndOffset,
                    rangePosition,
                    Math.toIntExact(position - rangePosition),
                    maxEventTimeMs,
                    maxAppendTimeMs));
        }
        inRange = false;
    }

    /** Checkpoints lie behind all ranges, so that each range is one run of payloads. */
    private List<BuiltCheckpoint> placeCheckpoints() {
        List<BuiltCheckpoint> placed = new ArrayList<>(checkpoints.size());
        for (BuiltCheckpoint checkpoint : checkpoints) {
            placed.add(new BuiltCheckpoint(checkpoint.streamId(), checkpoint.offset(), position, checkpoint.length()));
            // Taken out first: what cannot be added is released there, and must not be once more by the close
            add(checkpointPayloads.remove(), checkpoint.length());
        }
        return List.copyOf(placed);
    }

    private void add(ByteBuf payload, int length) {
        if (length >= GATHER_BELOW_BYTES) {
            gatherer.cut(parts);
            parts.add(payload);
        } else {
            gatherer.add(payload, parts);
        }
        position += length;
    }

    private void requireRoom(int length) {
        if (bytes() + length > BODY_BYTES_MAX) {
            throw new IllegalStateException("a bundle's body has at most " + BODY_BYTES_MAX + " bytes");
        }
    }

    private void requireStream() {
        requireOpen();
        if (!inStream) {
            throw new IllegalStateException("no stream was begun");
        }
    }

    private void requireOpen() {
        if (finished) {
            throw new IllegalStateException("this bundle is built or closed");
        }
    }
}
