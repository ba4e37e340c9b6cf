package io.catchment.wal.node;

import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameRead;
import io.catchment.wal.LoadedExtent;
import io.catchment.wal.loop.DiskCall;
import io.catchment.wal.loop.Loop;
import io.catchment.wal.loop.Loops;
import io.catchment.wal.remote.ExtentReads;
import io.catchment.wal.store.ExtentReader;
import io.catchment.wal.store.ExtentStore;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

/** Reads of this node's store on threads of their own; whole extents on one apart. Thread-safe. */
final class LocalReads implements ExtentReads {
    private final ExtentStore store;
    private final ExtentReader reader;
    private final List<Loop> readLoops = new ArrayList<>();
    private final Loop loadLoop;
    private final AtomicInteger nextReadLoop = new AtomicInteger();

    LocalReads(ExtentStore store, ByteBufAllocator allocator, Loops loops, int threads) {
        this.store = store;
        this.reader = new ExtentReader(store, allocator);
        for (int i = 0; i < threads; i++) {
            readLoops.add(loops.loop("read-" + i));
        }
        this.loadLoop = loops.loop("load");
    }

    /** For callers that may block. */
    ExtentReader blocking() {
        return reader;
    }

    @Override
    public OptionalLong length(long extentId) {
        return store.visibleLength(extentId);
    }

    @Override
    public CompletionStage<long[]> streams(long extentId) {
        return DiskCall.on(readLoop(), () -> reader.streams(extentId));
    }

    @Override
    public CompletionStage<List<FrameEntry>> index(long extentId, long streamId) {
        return DiskCall.on(readLoop(), () -> reader.index(extentId, streamId));
    }

    @Override
    public CompletionStage<Optional<FrameEntry>> floor(long extentId, long streamId, long offset) {
        return DiskCall.on(readLoop(), () -> reader.floor(extentId, streamId, offset));
    }

    @Override
    public CompletionStage<FrameRead> read(long extentId, long streamId, long fromOffset, int bytesMax) {
        return DiskCall.on(readLoop(), () -> reader.read(extentId, streamId, fromOffset, bytesMax));
    }

    @Override
    public CompletionStage<ByteBuf> payload(long extentId, FrameEntry entry) {
        return DiskCall.on(readLoop(), () -> reader.payload(extentId, entry));
    }

    CompletionStage<LoadedExtent> load(long extentId) {
        return DiskCall.on(loadLoop, () -> reader.load(extentId));
    }

    private Loop readLoop() {
        return readLoops.get(Math.floorMod(nextReadLoop.getAndIncrement(), readLoops.size()));
    }
}
