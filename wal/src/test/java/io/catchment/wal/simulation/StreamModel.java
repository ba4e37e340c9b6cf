package io.catchment.wal.simulation;

import io.catchment.wal.Frame;
import io.catchment.wal.FrameKind;
import io.catchment.wal.Lane;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What one stream should hold: which frame was given out for each offset, and which of them must never be lost. A payload
 * names its stream, offset and a number of its own, so that a frame that comes back from a former life shows.
 */
final class StreamModel {
    static final int PAYLOAD_HEADER_BYTES = 28;

    static final class Entry {
        final long baseOffset;
        final long nonce;
        final int records;
        final byte[] payload;
        /** Acknowledged, or found by a recovery: readers may have seen it. */
        boolean kept;

        Entry(long baseOffset, long nonce, int records, byte[] payload) {
            this.baseOffset = baseOffset;
            this.nonce = nonce;
            this.records = records;
            this.payload = payload;
        }
    }

    final long id;
    final Lane lane;
    final TreeMap<Long, Entry> entries = new TreeMap<>();
    final TreeMap<Long, Long> published = new TreeMap<>();
    long nextOffset;

    StreamModel(long id, Lane lane) {
        this.id = id;
        this.lane = lane;
    }

    /** The next frame; {@link #accepted} follows if the WAL took it. */
    Entry propose(SplittableRandom random) {
        int size = random.nextInt(100);
        int payloadBytes = PAYLOAD_HEADER_BYTES
                + (size < 80
                        ? random.nextInt(900)
                        : size < 97 ? random.nextInt(9_000) : size < 99 ? random.nextInt(45_000) : 0);
        long nonce = random.nextLong();
        return new Entry(nextOffset, nonce, 1 + random.nextInt(5), payload(nextOffset, nonce, payloadBytes));
    }

    Frame frame(Entry entry) {
        return new Frame(
                FrameKind.DATA,
                id,
                1,
                entry.baseOffset,
                entry.records,
                entry.baseOffset,
                Unpooled.wrappedBuffer(entry.payload));
    }

    private byte[] payload(long baseOffset, long nonce, int payloadBytes) {
        ByteBuffer payload = ByteBuffer.allocate(payloadBytes);
        payload.putLong(id).putLong(baseOffset).putLong(nonce).putInt(payloadBytes);
        SplittableRandom filler = new SplittableRandom(nonce);
        while (payload.remaining() >= Long.BYTES) {
            payload.putLong(filler.nextLong());
        }
        return payload.array();
    }

    void accepted(Entry entry) {
        entries.put(entry.baseOffset, entry);
        nextOffset = entry.baseOffset + entry.records;
    }

    void acknowledged(Frame frame) {
        Entry entry = matching(frame.payload(), frame.baseOffset());
        if (entry.kept) {
            throw new AssertionError("stream " + id + ": offset " + entry.baseOffset + " acknowledged twice");
        }
        var before = entries.lowerEntry(entry.baseOffset);
        if (before != null && !before.getValue().kept) {
            throw new AssertionError(
                    "stream " + id + ": offset " + entry.baseOffset + " acknowledged before " + before.getKey());
        }
        entry.kept = true;
    }

    boolean allKept() {
        return entries.isEmpty() || entries.lastEntry().getValue().kept;
    }

    /** The entry that a payload at this offset belongs to, byte for byte; throws if it is not the one that was given out. */
    Entry matching(ByteBuf payload, long baseOffset) {
        Entry entry = entries.get(baseOffset);
        ByteBuf expected = entry == null ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(entry.payload);
        if (entry == null || !payload.equals(expected)) {
            throw new AssertionError("stream " + id + ": at offset " + baseOffset + " there is " + describe(payload)
                    + ", given out was " + (entry == null ? "nothing" : describe(expected)));
        }
        return entry;
    }

    private static String describe(ByteBuf payload) {
        return payload.readableBytes() < PAYLOAD_HEADER_BYTES
                ? payload.readableBytes() + " bytes"
                : "stream " + payload.getLong(payload.readerIndex()) + " offset "
                        + payload.getLong(payload.readerIndex() + 8) + " number "
                        + payload.getLong(payload.readerIndex() + 16) + " of " + payload.readableBytes() + " bytes";
    }

    /** After a recovery: everything found is to stay, nothing that was promised may be missing, what is new is forgotten. */
    void recovered(SortedMap<Long, Long> found) {
        long expected = 0;
        for (var at : found.entrySet()) {
            Entry entry = entries.get(at.getKey());
            if (at.getKey() != expected || entry == null || entry.nonce != at.getValue()) {
                throw new AssertionError("stream " + id + ": after recovery there is offset " + at.getKey()
                        + " (number " + at.getValue() + ") where " + expected + " was due"
                        + (entry == null ? "" : " (number " + entry.nonce + ")"));
            }
            entry.kept = true;
            expected += entry.records;
        }
        @Nullable
        Entry lost = entries.tailMap(expected).values().stream()
                .filter(entry -> entry.kept)
                .findFirst()
                .orElse(null);
        if (lost != null) {
            throw new AssertionError("W1: stream " + id + ": acknowledged offset " + lost.baseOffset
                    + " is gone, recovered was only up to " + expected);
        }
        entries.tailMap(expected).clear();
        nextOffset = expected;
    }
}
