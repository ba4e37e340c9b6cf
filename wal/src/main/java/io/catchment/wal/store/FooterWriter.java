package io.catchment.wal.store;

import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.format.FooterFormat;
import io.catchment.wal.format.IndexRow;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Writes an index behind its extent's frames. Used once, by the thread that ends the extent. */
final class FooterWriter {
    private static final int PIECE_ROWS_MAX = 4096;

    private final long extentId;
    private final long sealedLength;
    private final MemoryIndex index;
    private final DiskFile file;

    /**
     * Writes the footer; the caller syncs. Answers whether there is one: not of an extent so much longer than usual that its
     * index lacks rows. To make them again, stream by stream, would take longer than the scan that replaces a footer.
     */
    static boolean write(long extentId, long sealedLength, MemoryIndex index, DiskFile file) throws IOException {
        boolean whole = index.keepsAllRows();
        if (whole) {
            new FooterWriter(extentId, sealedLength, index, file).write();
        }
        return whole;
    }

    private FooterWriter(long extentId, long sealedLength, MemoryIndex index, DiskFile file) {
        this.extentId = extentId;
        this.sealedLength = sealedLength;
        this.index = index;
        this.file = file;
    }

    /** Rows first, then the directory that vouches for them. The index holds nothing beyond the length. */
    private void write() throws IOException {
        long[] streams = index.streams(sealedLength);
        ByteBuffer directory = ByteBuffer.allocate(Math.toIntExact(FooterFormat.rowsAt(streams.length)));
        long rowsPosition = FooterFormat.position(sealedLength) + FooterFormat.rowsAt(streams.length);
        ByteBuffer piece =
                ByteBuffer.allocateDirect(Math.min(PIECE_ROWS_MAX, Math.max(1, index.frames())) * IndexRow.BYTES);
        int firstRow = 0;
        for (int i = 0; i < streams.length; i++) {
            byte[] rows = index.query(streams[i], FooterWriter::gather);
            CRC32C crc = new CRC32C();
            crc.update(rows);
            int count = rows.length / IndexRow.BYTES;
            FooterFormat.putEntry(directory, i, streams[i], firstRow, count, (int) crc.getValue());
            rowsPosition = put(rows, piece, rowsPosition);
            firstRow += count;
        }
        flush(piece, rowsPosition);
        FooterFormat.putHeader(directory, extentId, sealedLength, firstRow, streams.length);
        file.write(FooterFormat.position(sealedLength), directory.clear());
    }

    private static byte[] gather(StreamRows rows) throws IOException {
        byte[] bytes = new byte[Math.multiplyExact(rows.count(), IndexRow.BYTES)];
        for (int i = 0; i < rows.count(); i++) {
            System.arraycopy(rows.array(i), rows.at(i), bytes, i * IndexRow.BYTES, IndexRow.BYTES);
        }
        return bytes;
    }

    private long put(byte[] rows, ByteBuffer piece, long position) throws IOException {
        long at = position;
        int done = 0;
        while (done < rows.length) {
            int step = Math.min(piece.remaining(), rows.length - done);
            piece.put(rows, done, step);
            done += step;
            if (!piece.hasRemaining()) {
                at = flush(piece, at);
            }
        }
        return at;
    }

    private long flush(ByteBuffer piece, long position) throws IOException {
        piece.flip();
        int bytes = piece.remaining();
        if (bytes > 0) {
            file.write(position, piece);
        }
        piece.clear();
        return position + bytes;
    }
}
