package io.catchment.wal.store;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.disk.DiskFile;
import io.catchment.wal.format.FooterFormat;
import io.catchment.wal.format.IndexRow;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.zip.CRC32C;

/** The index of a sealed extent, left in its file: only the directory of streams is in memory. Immutable. */
final class FooterIndex implements FrameIndex {
    private final long extentId;
    private final DiskFile file;
    private final long rowsPosition;
    private final ByteBuffer directory;
    private final int streamCount;

    private FooterIndex(long extentId, DiskFile file, long rowsPosition, ByteBuffer directory, int streamCount) {
        this.extentId = extentId;
        this.file = file;
        this.rowsPosition = rowsPosition;
        this.directory = directory;
        this.streamCount = streamCount;
    }

    /** Empty if the file has no valid footer for this extent and length. */
    static Optional<FooterIndex> open(long extentId, long sealedLength, DiskFile file) throws IOException {
        long position = FooterFormat.position(sealedLength);
        ByteBuffer start = ByteBuffer.allocate(FooterFormat.HEADER_BYTES);
        file.read(position, start);
        Optional<FooterFormat.Header> header = FooterFormat.header(start.flip());
        if (header.isEmpty()
                || header.get().extentId() != extentId
                || header.get().sealedLength() != sealedLength
                || position + FooterFormat.rowsAt(header.get().streams()) > file.sizeBytes()) {
            return Optional.empty();
        }
        int streams = header.get().streams();
        ByteBuffer directory = ByteBuffer.allocate(Math.toIntExact(FooterFormat.rowsAt(streams)));
        file.read(position, directory);
        if (!FooterFormat.valid(directory.flip(), header.get())) {
            return Optional.empty();
        }
        return Optional.of(
                new FooterIndex(extentId, file, position + FooterFormat.rowsAt(streams), directory, streams));
    }

    @Override
    public long[] streams(long limit) {
        long[] ids = new long[streamCount];
        for (int i = 0; i < streamCount; i++) {
            ids[i] = FooterFormat.stream(directory, i);
        }
        return ids;
    }

    @Override
    public <T> T query(long streamId, LookUp<T> lookUp) throws IOException {
        int i = find(streamId);
        return lookUp.in(i < 0 ? StreamRows.NONE : section(i));
    }

    private int find(long streamId) {
        int low = 0;
        int high = streamCount - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int order = Long.compare(FooterFormat.stream(directory, middle), streamId);
            if (order == 0) {
                return middle;
            }
            if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -1;
    }

    private StreamRows section(int i) throws IOException {
        int rows = FooterFormat.rows(directory, i);
        byte[] bytes = new byte[Math.multiplyExact(rows, IndexRow.BYTES)];
        file.read(rowsPosition + (long) FooterFormat.firstRow(directory, i) * IndexRow.BYTES, ByteBuffer.wrap(bytes));
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        if ((int) crc.getValue() != FooterFormat.rowsCrc(directory, i)) {
            throw new CorruptExtentException(
                    "extent " + extentId + ": the footer's rows of stream " + FooterFormat.stream(directory, i)
                            + " fail their checksum",
                    0);
        }
        return new Section(bytes, rows);
    }

    @Override
    public long memoryBytes() {
        return directory.capacity();
    }

    private record Section(byte[] bytes, int count) implements StreamRows {
        @Override
        public long position(int i) {
            return IndexRow.position(bytes, at(i));
        }

        @Override
        public byte[] array(int i) {
            return bytes;
        }

        @Override
        public int at(int i) {
            return i * IndexRow.BYTES;
        }
    }
}
