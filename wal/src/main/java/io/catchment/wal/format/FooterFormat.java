package io.catchment.wal.format;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The index footer behind a sealed extent's frames: a header, a directory of streams sorted by id, then the rows, those of
 * one stream together. It begins at the first multiple of 4096 at or after the sealed length. The README has the table.
 */
public final class FooterFormat {
    public static final int HEADER_BYTES = 64;
    public static final int DIRECTORY_ENTRY_BYTES = 24;

    private static final long MAGIC = 0x4341_5443_4849_4458L; // CATCHIDX
    private static final short VERSION = 1;
    private static final int CRC_AT = 40;

    private FooterFormat() {}

    public static long position(long sealedLength) {
        return (sealedLength + 4095) & -4096;
    }

    /** Where the rows begin, from the footer's start. */
    public static long rowsAt(int streams) {
        return HEADER_BYTES + (long) streams * DIRECTORY_ENTRY_BYTES;
    }

    /** @param sealedLength of the extent that the footer was written for */
    public record Header(long extentId, long sealedLength, int frames, int streams, int crc) {}

    /** Writes header and checksum in front of the directory that is already in the buffer at {@link #HEADER_BYTES}. */
    public static void putHeader(ByteBuffer buffer, long extentId, long sealedLength, int frames, int streams) {
        buffer.putLong(0, MAGIC).putShort(8, VERSION).putLong(16, extentId).putLong(24, sealedLength);
        buffer.putInt(32, frames).putInt(36, streams);
        buffer.putInt(CRC_AT, crc(buffer, streams));
    }

    public static void putEntry(ByteBuffer buffer, int i, long streamId, int firstRow, int rows, int rowsCrc) {
        int at = HEADER_BYTES + i * DIRECTORY_ENTRY_BYTES;
        buffer.putLong(at, streamId)
                .putInt(at + 8, firstRow)
                .putInt(at + 12, rows)
                .putInt(at + 16, rowsCrc);
    }

    /** The header alone, not yet verified: says how much to read. */
    public static Optional<Header> header(ByteBuffer buffer) {
        if (buffer.limit() < HEADER_BYTES || buffer.getLong(0) != MAGIC || buffer.getShort(8) != VERSION) {
            return Optional.empty();
        }
        Header header = new Header(
                buffer.getLong(16), buffer.getLong(24), buffer.getInt(32), buffer.getInt(36), buffer.getInt(CRC_AT));
        boolean sane = header.frames >= 0
                && header.streams >= 0
                && header.streams <= header.frames
                && rowsAt(header.streams) < Integer.MAX_VALUE;
        return sane ? Optional.of(header) : Optional.empty();
    }

    /** Whether header and directory, all in the buffer, are what was written. */
    public static boolean valid(ByteBuffer buffer, Header header) {
        return buffer.limit() >= rowsAt(header.streams) && crc(buffer, header.streams) == header.crc;
    }

    public static long stream(ByteBuffer buffer, int i) {
        return buffer.getLong(HEADER_BYTES + i * DIRECTORY_ENTRY_BYTES);
    }

    public static int firstRow(ByteBuffer buffer, int i) {
        return buffer.getInt(HEADER_BYTES + i * DIRECTORY_ENTRY_BYTES + 8);
    }

    public static int rows(ByteBuffer buffer, int i) {
        return buffer.getInt(HEADER_BYTES + i * DIRECTORY_ENTRY_BYTES + 12);
    }

    public static int rowsCrc(ByteBuffer buffer, int i) {
        return buffer.getInt(HEADER_BYTES + i * DIRECTORY_ENTRY_BYTES + 16);
    }

    private static int crc(ByteBuffer buffer, int streams) {
        CRC32C crc = new CRC32C();
        ByteBuffer view = buffer.duplicate();
        view.limit(CRC_AT).position(0);
        crc.update(view);
        view.limit(Math.toIntExact(rowsAt(streams))).position(HEADER_BYTES);
        crc.update(view);
        return (int) crc.getValue();
    }
}
