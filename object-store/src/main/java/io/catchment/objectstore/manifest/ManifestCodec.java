package io.catchment.objectstore.manifest;

import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/** A manifest, version 1, to bytes and back. What does not fit together is CORRUPT. All integers are big-endian. */
public final class ManifestCodec {
    /** Entries of one manifest; a stream with more ranges has several. */
    public static final int ENTRIES_MAX = 4096;

    private static final long HEADER_MAGIC = 0x43415443484d4e46L; // CATCHMNF
    private static final long TRAILER_MAGIC = 0x43415443484d4e45L; // CATCHMNE
    private static final short VERSION = 1;
    private static final int HEADER_BYTES = 24;
    private static final int ENTRY_BYTES = 60;
    private static final int TRAILER_BYTES = 12;

    private ManifestCodec() {}

    static int bytes(int entries) {
        return HEADER_BYTES + entries * ENTRY_BYTES + TRAILER_BYTES;
    }

    /** The caller releases it. */
    public static ByteBuf write(ByteBufAllocator allocator, Manifest manifest) {
        if (manifest.size() > ENTRIES_MAX) {
            throw new IllegalArgumentException(manifest.size() + " ranges in one manifest; at most " + ENTRIES_MAX);
        }
        int bytes = bytes(manifest.size());
        ByteBuf out = allocator.directBuffer(bytes, bytes);
        out.writeLong(HEADER_MAGIC);
        out.writeShort(VERSION);
        out.writeShort(0);
        out.writeInt(manifest.size());
        out.writeLong(manifest.streamId());
        for (int i = 0; i < manifest.size(); i++) {
            Manifest.Entry entry = manifest.entry(i);
            out.writeLong(entry.baseOffset());
            out.writeLong(entry.endOffset());
            out.writeLong(entry.objectId());
            out.writeLong(entry.objectBytes());
            out.writeLong(entry.position());
            out.writeInt(entry.length());
            out.writeLong(entry.maxEventTimeMs());
            out.writeLong(entry.maxAppendTimeMs());
        }
        out.writeInt(crc(out, bytes - TRAILER_BYTES));
        out.writeLong(TRAILER_MAGIC);
        return out;
    }

    /** @param bytes the whole object; stays the caller's */
    public static Manifest read(ByteBuf bytes) {
        int length = bytes.readableBytes();
        check(length >= bytes(1), "length " + length);
        ByteBuf in = bytes.slice();
        check(in.getLong(0) == HEADER_MAGIC, "header magic");
        check(in.getLong(length - 8) == TRAILER_MAGIC, "trailer magic");
        check(in.getInt(length - TRAILER_BYTES) == crc(in, length - TRAILER_BYTES), "checksum");
        short version = in.getShort(8);
        check(version == VERSION, "version " + version + ", this program reads " + VERSION);
        int entries = in.getInt(12);
        check(entries >= 1 && entries <= ENTRIES_MAX && bytes(entries) == length, "number of ranges " + entries);
        long streamId = in.getLong(16);
        in.skipBytes(HEADER_BYTES);
        List<Manifest.Entry> read = new ArrayList<>(entries);
        try {
            for (int i = 0; i < entries; i++) {
                read.add(entry(in));
            }
            return new Manifest(streamId, read);
        } catch (IllegalArgumentException e) {
            throw new ObjectStoreException(Reason.CORRUPT, "manifest does not fit together: " + e.getMessage(), e);
        }
    }

    private static Manifest.Entry entry(ByteBuf in) {
        return new Manifest.Entry(
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readLong(),
                in.readInt(),
                in.readLong(),
                in.readLong());
    }

    private static int crc(ByteBuf bytes, int length) {
        CRC32C crc = new CRC32C();
        for (ByteBuffer part : bytes.nioBuffers(0, length)) {
            crc.update(part);
        }
        return (int) crc.getValue();
    }

    private static void check(boolean right, String what) {
        if (!right) {
            throw new ObjectStoreException(Reason.CORRUPT, "manifest does not fit together: " + what, null);
        }
    }
}
