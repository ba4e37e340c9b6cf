package io.catchment.wal.store;

import io.catchment.wal.format.FrameRows;
import io.catchment.wal.format.IndexRow;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * The index of an extent that is being written or was scanned: rows in the order of the extent, in chunks that never move,
 * and per stream the numbers of its rows. Guarded by its lock, which is held for a group or a look-up.
 */
final class MemoryIndex implements FrameIndex {
    private static final int CHUNK_ROWS = 512;

    private final ReentrantLock lock = new ReentrantLock();
    private final StreamTable streams = new StreamTable();
    private byte[][] chunks = new byte[4][];
    private int count;

    void append(FrameRows rows) {
        lock.lock();
        try {
            for (int i = 0; i < rows.count(); i++) {
                int chunk = count / CHUNK_ROWS;
                System.arraycopy(rows.bytes(), rows.at(i), writableChunk(chunk), at(count), IndexRow.BYTES);
                streams.add(rows.stream(i), count++);
            }
        } finally {
            lock.unlock();
        }
    }

    private byte[] writableChunk(int chunk) {
        if (chunk == chunks.length) {
            chunks = Arrays.copyOf(chunks, chunk * 2);
        }
        if (chunks[chunk] == null) {
            chunks[chunk] = new byte[CHUNK_ROWS * IndexRow.BYTES];
        }
        return chunks[chunk];
    }

    /** Forgets the rows at or beyond a position: they are void. */
    void cut(long length) {
        lock.lock();
        try {
            while (count > 0 && IndexRow.position(chunks[(count - 1) / CHUNK_ROWS], at(count - 1)) >= length) {
                count--;
            }
            streams.cut(count);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long[] streams(long limit) {
        lock.lock();
        try {
            long[] ids = streams.ids();
            int kept = 0;
            for (long id : ids) {
                if (RowSearch.visible(new Rows(streams.find(id)), limit) > 0) {
                    ids[kept++] = id;
                }
            }
            return Arrays.copyOf(ids, kept);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public <T> T query(long streamId, Function<StreamRows, T> lookUp) {
        lock.lock();
        try {
            StreamTable.Ordinals ordinals = streams.find(streamId);
            return lookUp.apply(ordinals.count() == 0 ? StreamRows.NONE : new Rows(ordinals));
        } finally {
            lock.unlock();
        }
    }

    int frames() {
        lock.lock();
        try {
            return count;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long memoryBytes() {
        lock.lock();
        try {
            int used = (count + CHUNK_ROWS - 1) / CHUNK_ROWS;
            return (long) used * CHUNK_ROWS * IndexRow.BYTES + streams.memoryBytes();
        } finally {
            lock.unlock();
        }
    }

    private static int at(int row) {
        return row % CHUNK_ROWS * IndexRow.BYTES;
    }

    private final class Rows implements StreamRows {
        private final StreamTable.Ordinals ordinals;

        Rows(StreamTable.Ordinals ordinals) {
            this.ordinals = ordinals;
        }

        @Override
        public int count() {
            return ordinals.count();
        }

        @Override
        public byte[] array(int i) {
            return chunks[ordinals.get(i) / CHUNK_ROWS];
        }

        @Override
        public int at(int i) {
            return MemoryIndex.at(ordinals.get(i));
        }
    }
}
