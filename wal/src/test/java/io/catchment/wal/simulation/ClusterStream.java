package io.catchment.wal.simulation;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Frame;
import io.catchment.wal.FrameKind;
import io.catchment.wal.Lane;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One stream of a simulated cluster: who owns it, what each owner gave out, and what is published. Each payload names its
 * stream, offset and a number of its own, so that nothing passes for something else.
 */
final class ClusterStream {
    static final int HEADER_BYTES = 28;

    static final class Entry {
        final Ownership by;
        final long baseOffset;
        final long nonce;
        final int records;
        final byte[] payload;
        boolean acknowledged;

        Entry(Ownership by, long baseOffset, long nonce, int records, byte[] payload) {
            this.by = by;
            this.baseOffset = baseOffset;
            this.nonce = nonce;
            this.records = records;
            this.payload = payload;
        }
    }

    /** One run of one node as the stream's owner; a zombie goes on as one without knowing. */
    final class Ownership {
        final int node;
        final long nodeEpoch;
        final SimScheduler.Life life;
        final TreeMap<Long, Entry> entries = new TreeMap<>();
        long nextOffset;
        private @Nullable Entry lastAcknowledged;

        Ownership(int node, long nodeEpoch, SimScheduler.Life life, long startOffset) {
            this.node = node;
            this.nodeEpoch = nodeEpoch;
            this.life = life;
            this.nextOffset = startOffset;
        }

        Entry propose(SplittableRandom random) {
            int size = random.nextInt(100);
            int bytes = HEADER_BYTES
                    + (size < 85 ? random.nextInt(600) : size < 98 ? random.nextInt(7_000) : random.nextInt(30_000));
            long nonce = random.nextLong();
            ByteBuffer payload = ByteBuffer.allocate(bytes);
            payload.putLong(id).putLong(nextOffset).putLong(nonce).putInt(bytes);
            SplittableRandom filler = new SplittableRandom(nonce);
            while (payload.remaining() >= Long.BYTES) {
                payload.putLong(filler.nextLong());
            }
            return new Entry(this, nextOffset, nonce, 1 + random.nextInt(5), payload.array());
        }

        void accepted(Entry entry) {
            entries.put(entry.baseOffset, entry);
            given.put(entry.nonce, entry);
            nextOffset = entry.baseOffset + entry.records;
        }

        boolean allAcknowledged() {
            return entries.isEmpty() || entries.lastEntry().getValue().acknowledged;
        }

        ClusterStream stream() {
            return ClusterStream.this;
        }
    }

    final long id;
    final Lane lane;
    /** All frames ever given out, by their own numbers. */
    private final Map<Long, Entry> given = new HashMap<>();
    /** What is in objects: offset to number. */
    final TreeMap<Long, Long> published = new TreeMap<>();

    @Nullable
    Ownership owner;

    ClusterStream(long id, Lane lane) {
        this.id = id;
        this.lane = lane;
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

    /** The frame that these bytes are, byte for byte. */
    Entry matching(ByteBuf payload, long baseOffset) {
        int at = payload.readerIndex();
        Entry entry = payload.readableBytes() < HEADER_BYTES ? null : given.get(payload.getLong(at + 16));
        if (entry == null || entry.baseOffset != baseOffset || !payload.equals(Unpooled.wrappedBuffer(entry.payload))) {
            throw new AssertionError("stream " + id + ": at offset " + baseOffset + " there are "
                    + payload.readableBytes() + " bytes that nobody gave out");
        }
        return entry;
    }

    /** @param life that says so */
    Entry acknowledged(SimScheduler.Life life, Acknowledged one) {
        Entry entry = matching(one.frame().payload(), one.frame().baseOffset());
        if (entry.by.life != life || entry.acknowledged) {
            throw new AssertionError("stream " + id + ": offset " + entry.baseOffset + " is acknowledged "
                    + (entry.acknowledged ? "twice" : "by another process"));
        }
        Entry last = entry.by.lastAcknowledged;
        Entry before = entry.by.entries.containsKey(entry.baseOffset)
                ? valueOf(entry.by.entries.lowerEntry(entry.baseOffset))
                : null;
        if (before != last) {
            throw new AssertionError("stream " + id + ": offset " + entry.baseOffset + " is acknowledged out of order");
        }
        entry.by.lastAcknowledged = entry;
        entry.acknowledged = true;
        if (owner != entry.by && !Long.valueOf(entry.nonce).equals(published.get(entry.baseOffset))) {
            throw new AssertionError("W4: stream " + id + ": offset " + entry.baseOffset + " is acknowledged by node "
                    + entry.by.node + " epoch " + entry.by.nodeEpoch + ", which was taken over without it");
        }
        return entry;
    }

    private static @Nullable Entry valueOf(Map.@Nullable Entry<Long, Entry> at) {
        return at == null ? null : at.getValue();
    }

    void publish(Entry entry) {
        Long twice = published.put(entry.baseOffset, entry.nonce);
        if (twice != null) {
            throw new AssertionError("stream " + id + ": offset " + entry.baseOffset + " is in two sealed extents");
        }
    }

    /** Every extent of the last owner is published: what was promised must be there, without gaps; answers where it ends. */
    long end() {
        long expected = 0;
        for (Map.Entry<Long, Long> at : published.entrySet()) {
            Entry entry = given.get(at.getValue());
            if (at.getKey() != expected || entry == null) {
                throw new AssertionError("stream " + id + ": there is offset " + at.getKey() + " (number "
                        + at.getValue() + ") where " + expected + " was due");
            }
            expected += entry.records;
        }
        @Nullable Ownership old = owner;
        if (old != null) {
            for (Entry entry : old.entries.values()) {
                if (entry.acknowledged && !Long.valueOf(entry.nonce).equals(published.get(entry.baseOffset))) {
                    throw new AssertionError("W1: stream " + id + ": acknowledged offset " + entry.baseOffset
                            + " is gone, published is only up to " + expected);
                }
            }
        }
        return expected;
    }
}
