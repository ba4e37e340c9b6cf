package io.catchment.wal.store;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameRead;
import io.catchment.wal.LoadedExtent;
import io.catchment.wal.disk.DiskFile;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Look-ups and verified reads of what this store holds, below the acknowledged lengths. Thread-safe; calls may read the disk. What fails
 * puts its extent in doubt ({@link ExtentStore#unsettled}): each read sees a part of it, and somebody has to find out about the rest (W6).
 */
public final class ExtentReader {
    private static final Logger LOG = LoggerFactory.getLogger(ExtentReader.class);

    private final ExtentStore store;
    private final ByteBufAllocator allocator;
    private final LoadBuffers loadBuffers;

    public ExtentReader(ExtentStore store, ByteBufAllocator allocator) {
        this.store = store;
        this.allocator = allocator;
        this.loadBuffers = new LoadBuffers(allocator, store.pool().fileBytes());
    }

    /** Ids of streams with visible frames, ascending; empty if the extent is not here. */
    public long[] streams(long extentId) throws IOException {
        Optional<StoredExtent> extent = store.acquire(extentId);
        if (extent.isEmpty()) {
            return new long[0];
        }
        return reading(extent.get(), here -> store.indexes().of(here).streams(here.visibleLength()));
    }

    public List<FrameEntry> index(long extentId, long streamId) throws IOException {
        return lookUp(extentId, streamId, List.of(), (rows, limit) -> RowSearch.entries(rows, streamId, limit));
    }

    public Optional<FrameEntry> floor(long extentId, long streamId, long offset) throws IOException {
        return lookUp(
                extentId, streamId, Optional.empty(), (rows, limit) -> RowSearch.floor(rows, streamId, offset, limit));
    }

    private interface LookUp<T> {
        T apply(StreamRows rows, long limit) throws IOException;
    }

    private <T> T lookUp(long extentId, long streamId, T absent, LookUp<T> lookUp) throws IOException {
        Optional<StoredExtent> extent = store.acquire(extentId);
        if (extent.isEmpty()) {
            return absent;
        }
        return reading(extent.get(), here -> query(here, streamId, lookUp));
    }

    private <T> T query(StoredExtent extent, long streamId, LookUp<T> lookUp) throws IOException {
        long limit = extent.visibleLength();
        FrameIndex.LookUp<T> search = rows -> lookUp.apply(rows, limit);
        FrameIndex index = store.indexes().of(extent);
        try {
            return index.query(streamId, search);
        } catch (CorruptExtentException damaged) {
            if (index instanceof MemoryIndex) {
                // It was a frame.
                throw damaged;
            }
            LOG.warn("{}; the extent is scanned instead", damaged.getMessage());
            return store.indexes().rescan(extent).query(streamId, search);
        }
    }

    /** See {@link io.catchment.wal.Wal#read}. */
    public FrameRead read(long extentId, long streamId, long fromOffset, int bytesMax) throws IOException {
        return reading(acquire(extentId), extent -> {
            ReadPlan plan = query(extent, streamId, (rows, limit) -> RowSearch.plan(rows, fromOffset, bytesMax, limit));
            if (plan.isEmpty()) {
                return new FrameRead(fromOffset, fromOffset, Unpooled.EMPTY_BUFFER);
            }
            ByteBuf payload = gather(extent).read(plan, streamId);
            return new FrameRead(plan.baseOffset(0), plan.endOffset(), payload);
        });
    }

    /** See {@link io.catchment.wal.Wal#payload}. */
    public ByteBuf payload(long extentId, FrameEntry entry) throws IOException {
        return reading(acquire(extentId), extent -> {
            ReadPlan plan = new ReadPlan();
            plan.add(entry.position(), entry.payloadLength(), entry.baseOffset(), entry.recordCount());
            return gather(extent).read(plan, entry.streamId());
        });
    }

    /** See {@link io.catchment.wal.Wal#load}. */
    public LoadedExtent load(long extentId) throws IOException {
        return reading(acquire(extentId), extent -> {
            if (extent.state != StoredExtent.State.SETTLED) {
                throw new IOException("extent " + extentId + " is not sealed");
            }
            long length = extent.durableLength;
            return length == 0
                    ? ExtentImage.empty(extentId)
                    : ExtentImage.load(extentId, length, store.fileOf(extent), loadBuffers, store.newChecksum());
        });
    }

    /** Lets go of memory; reads still work. */
    public void close() {
        loadBuffers.close();
    }

    private interface Reading<T> {
        T of(StoredExtent extent) throws IOException;
    }

    /** Releases the extent. */
    private static <T> T reading(StoredExtent extent, Reading<T> reading) throws IOException {
        try {
            return reading.of(extent);
        } catch (IOException failed) {
            extent.doubt();
            throw failed;
        } finally {
            extent.release();
        }
    }

    private FrameGather gather(StoredExtent extent) throws IOException {
        DiskFile file = store.fileOf(extent);
        return new FrameGather(extent.extentId, file, allocator, store.newChecksum());
    }

    private StoredExtent acquire(long extentId) throws IOException {
        return store.acquire(extentId)
                .orElseThrow(
                        () -> new NoSuchFileException("extent " + extentId + " is not served by this WAL directory"));
    }
}
