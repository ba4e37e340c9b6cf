package io.catchment.wal.store;

import io.catchment.wal.format.FrameRows;
import io.catchment.wal.format.IndexRow;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The index of an extent that is being written or was scanned: in the order of the extent where each frame lies, in chunks
 * that never move, and per stream the numbers of its frames. Those are about ten bytes for each frame. The rows, ten times as
 * many, are kept as well while the extent is not longer than usual. An extent grows beyond that while no next one can be
 * created, for hours perhaps, with millions of small frames: then only the newest rows stay, for those who read the tail,
 * and older ones are made again from their frames when somebody asks.
 *
 * <p>Guarded by its lock, which is held for a group or to take a snapshot. Look-ups work on their snapshot: they may read the
 * disk, and the writer must not wait for that.
 */
final class MemoryIndex implements FrameIndex {
    private static final int CHUNK_ROWS = 512;
    /** Of an extent that is longer than usual: six megabytes. */
    static final int ROWS_KEPT = 128 * CHUNK_ROWS;

    private final ReentrantLock lock = new ReentrantLock();
    private final StreamTable streams = new StreamTable();
    private final RowSource source;
    private final long usualLength;
    private final int rowsKept;
    private int[][] positions = new int[4][];
    /** Null where rows are not kept. A snapshot's array changes only beyond its count. */
    private byte[][] rows = new byte[4][];

    private int count;
    /** Rows from this one on are kept, those before are not. */
    private int keptFrom;

    /** @param usualLength of an extent; the index of a longer one does not keep all rows */
    MemoryIndex(RowSource source, long usualLength) {
        this(source, usualLength, ROWS_KEPT);
    }

    private MemoryIndex(RowSource source, long usualLength, int rowsKept) {
        this.source = source;
        this.usualLength = usualLength;
        this.rowsKept = rowsKept;
    }

    /** Of an extent without frames. */
    static MemoryIndex empty() {
        return withoutRows(() -> position -> {
            throw new IllegalStateException("a row at " + position + " of an extent without frames");
        });
    }

    /** Keeps no row: {@link #add} its frames. */
    static MemoryIndex withoutRows(RowSource source) {
        return new MemoryIndex(source, 0, 0);
    }

    void add(long streamId, long position) {
        lock.lock();
        try {
            addFrame(streamId, position);
            keptFrom = count;
        } finally {
            lock.unlock();
        }
    }

    void append(FrameRows batch) {
        lock.lock();
        try {
            for (int i = 0; i < batch.count(); i++) {
                int number = count;
                addFrame(batch.stream(i), IndexRow.position(batch.bytes(), batch.at(i)));
                System.arraycopy(batch.bytes(), batch.at(i), writableRows(number), at(number), IndexRow.BYTES);
            }
            if (count > 0 && position(positions, count - 1) > usualLength) {
                dropOldRows();
            }
        } finally {
            lock.unlock();
        }
    }

    private void addFrame(long streamId, long position) {
        int chunk = count / CHUNK_ROWS;
        if (chunk == positions.length) {
            positions = Arrays.copyOf(positions, chunk * 2);
            rows = Arrays.copyOf(rows, chunk * 2);
        }
        if (count % CHUNK_ROWS == 0) {
            positions[chunk] = new int[CHUNK_ROWS];
        }
        positions[chunk][count % CHUNK_ROWS] = Math.toIntExact(position);
        streams.add(streamId, count++);
    }

    private byte[] writableRows(int number) {
        byte[] chunk = rows[number / CHUNK_ROWS];
        if (chunk == null) {
            chunk = new byte[CHUNK_ROWS * IndexRow.BYTES];
            rows[number / CHUNK_ROWS] = chunk;
        }
        return chunk;
    }

    private void dropOldRows() {
        int from = Math.max(keptFrom, (count - rowsKept) / CHUNK_ROWS * CHUNK_ROWS);
        if (from > keptFrom) {
            rows = rows.clone();
            Arrays.fill(rows, keptFrom / CHUNK_ROWS, from / CHUNK_ROWS, null);
            keptFrom = from;
        }
    }

    /** Forgets the frames at or beyond a position: they are void. */
    void cut(long length) {
        lock.lock();
        try {
            while (count > 0 && position(positions, count - 1) >= length) {
                count--;
            }
            streams.cut(count);
        } finally {
            lock.unlock();
        }
    }

    /** Whether no look-up has to read the extent. */
    boolean keepsAllRows() {
        lock.lock();
        try {
            return keptFrom == 0;
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
    public <T> T query(long streamId, LookUp<T> lookUp) throws IOException {
        return lookUp.in(snapshot(streamId));
    }

    private StreamRows snapshot(long streamId) {
        lock.lock();
        try {
            StreamTable.Ordinals ordinals = streams.find(streamId);
            return ordinals.count() == 0 ? StreamRows.NONE : new Rows(ordinals);
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
            int withRows = used - Math.min(used, keptFrom / CHUNK_ROWS);
            return (long) used * CHUNK_ROWS * Integer.BYTES
                    + (rowsKept == 0 ? 0 : (long) withRows * CHUNK_ROWS * IndexRow.BYTES)
                    + streams.memoryBytes();
        } finally {
            lock.unlock();
        }
    }

    private static int at(int number) {
        return number % CHUNK_ROWS * IndexRow.BYTES;
    }

    private static long position(int[][] positions, int number) {
        return positions[number / CHUNK_ROWS][number % CHUNK_ROWS];
    }

    /** A snapshot of one stream's rows. Owned by the look-up. */
    private final class Rows implements StreamRows {
        private final int[][] positionsThen = positions;
        private final byte[][] rowsThen = rows;
        private final int keptFromThen = keptFrom;
        private final int[] numbers;
        private final int count;
        private RowSource.@Nullable Reader reader;
        private byte[] made = new byte[0];
        private int madeNumber = -1;

        Rows(StreamTable.Ordinals ordinals) {
            this.numbers = ordinals.numbers();
            this.count = ordinals.count();
        }

        @Override
        public int count() {
            return count;
        }

        @Override
        public long position(int i) {
            return MemoryIndex.position(positionsThen, numbers[i]);
        }

        @Override
        public byte[] array(int i) throws IOException {
            byte[] kept = rowsThen[numbers[i] / CHUNK_ROWS];
            return kept != null ? kept : made(numbers[i]);
        }

        @Override
        public int at(int i) {
            return rowsThen[numbers[i] / CHUNK_ROWS] == null ? 0 : MemoryIndex.at(numbers[i]);
        }

        private byte[] made(int number) throws IOException {
            if (number != madeNumber) {
                RowSource.Reader open = reader;
                if (open == null) {
                    open = source.open();
                    reader = open;
                }
                made = open.row(MemoryIndex.position(positionsThen, number));
                madeNumber = number;
            }
            return made;
        }

        @Override
        public int keptFrom() {
            int found = Arrays.binarySearch(numbers, 0, count, keptFromThen);
            return found < 0 ? -found - 1 : found;
        }
    }
}
