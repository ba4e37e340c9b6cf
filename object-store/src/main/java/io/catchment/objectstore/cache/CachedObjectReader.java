package io.catchment.objectstore.cache;

import com.github.benmanes.caffeine.cache.AsyncCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectReader;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.ReadClass;
import io.catchment.objectstore.bundle.BundleFooter;
import io.catchment.objectstore.bundle.BundleFormat;
import io.catchment.objectstore.manifest.ManifestLoader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Function;

/**
 * Thread-safe. Reads by way of the footer of the object (cached) and its blocks (cached); stages complete on the store's threads, or at
 * once when everything is cached. The answers are slices of cached blocks. The store is not closed with the reader.
 */
public final class CachedObjectReader implements ObjectReader {
    private final ReaderSettings settings;
    private final ByteBufAllocator allocator;
    private final FooterLoader footerLoader;
    private final AsyncCache<Long, BundleFooter> footers;
    private final ManifestLoader manifestLoader;
    private final AsyncCache<Long, Manifest> manifests;
    private final BlockLoader loader;
    private final BlockCache blocks;
    private final ReadAhead readAhead;

    /** All who read are alike. */
    public CachedObjectReader(
            ObjectStore store, ReaderSettings settings, ByteBufAllocator allocator, ScheduledExecutorService timer) {
        this(as -> store, settings, allocator, timer, CatchUpRoom.ALL);
    }

    /**
     * @param stores the store as each class of readers uses it
     * @param timer for the bound on waiting; not closed here
     * @param room for readers that catch up
     */
    public CachedObjectReader(
            Function<ReadClass, ObjectStore> stores,
            ReaderSettings settings,
            ByteBufAllocator allocator,
            ScheduledExecutorService timer,
            CatchUpRoom room) {
        this.settings = settings;
        this.allocator = allocator;
        this.loader = new BlockLoader(stores, settings, allocator, timer, room);
        this.blocks = new BlockCache(settings.cacheBytes(), loader);
        this.footerLoader = new FooterLoader(stores, timer, loader::corruptFooter);
        this.readAhead = new ReadAhead(settings.readAheadBlocksMax(), BundleFormat.BLOCK_BYTES);
        this.footers = Caffeine.newBuilder()
                .maximumWeight(settings.footerBytes())
                .weigher((Long id, BundleFooter footer) -> footer.weight())
                .executor(Runnable::run)
                .buildAsync();
        // Who needs one reads what is old
        this.manifestLoader = new ManifestLoader(stores.apply(ReadClass.CATCH_UP), loader::corruptFooter);
        this.manifests = Caffeine.newBuilder()
                .maximumWeight(settings.footerBytes())
                .weigher((Long id, Manifest manifest) -> manifest.weight())
                .executor(Runnable::run)
                .buildAsync();
    }

    @Override
    public CompletionStage<RangeRead> read(Location location, long fromOffset, int bytesMax) {
        return read(location, fromOffset, bytesMax, ReadClass.TAIL);
    }

    @Override
    public CompletionStage<RangeRead> read(Location location, long fromOffset, int bytesMax, ReadClass as) {
        if (fromOffset < location.baseOffset() || fromOffset >= location.endOffset()) {
            throw new IllegalArgumentException("offset " + fromOffset + " is not in " + location);
        }
        return footer(location.objectId(), location.objectBytes(), as).thenCompose(footer -> {
            int range = find(footer, location);
            int entry = footer.entryForOffset(range, fromOffset);
            long start = footer.entryPosition(entry);
            long rangeEnd = location.position() + location.length();
            long wanted = start + Math.max(1, Math.min(bytesMax, settings.readBytesMax()));
            long end = Math.min(rangeEnd, Math.max(wanted, footer.positionAfter(range, entry)));
            ReadAhead.Span ahead = readAhead.read(location, start, end);
            CompletionStage<ByteBuf> bytes =
                    slice(location.objectId(), footer, start, end, Math.max(end, ahead.to()), as);
            if (ahead.to() > ahead.from()) {
                blocks.loadAhead(location.objectId(), footer, block(ahead.from()), block(ahead.to() - 1), as);
            }
            return bytes.thenApply(payload -> new RangeRead(payload, end == rangeEnd));
        });
    }

    /** The end offset if nothing in the range is that new. */
    @Override
    public CompletionStage<Long> offsetForTime(Location location, long timeMs) {
        return footer(location.objectId(), location.objectBytes(), ReadClass.TAIL)
                .thenApply(footer -> {
                    int entry = footer.entryForTime(find(footer, location), timeMs);
                    return entry < 0 ? location.endOffset() : footer.entryOffset(entry);
                });
    }

    @Override
    public CompletionStage<ByteBuf> bytes(long objectId, long objectBytes, long position, int length) {
        if (length == 0) {
            return CompletableFuture.completedFuture(Unpooled.EMPTY_BUFFER);
        }
        return footer(objectId, objectBytes, ReadClass.TAIL).thenCompose(footer -> {
            if (position < 0 || length < 0 || position + length > footer.bodyBytes()) {
                throw new ObjectStoreException(
                        Reason.CORRUPT,
                        "object " + ObjectKeys.key(objectId) + ": bytes " + position + " to " + (position + length)
                                + " are outside its body of " + footer.bodyBytes(),
                        null);
            }
            return slice(objectId, footer, position, position + length, position + length, ReadClass.TAIL);
        });
    }

    @Override
    public CompletionStage<Manifest> manifest(long objectId, long objectBytes) {
        return manifests.get(objectId, (id, executor) -> manifestLoader.load(id, objectBytes));
    }

    public ReaderStats stats() {
        return new ReaderStats(
                blocks.hits(),
                blocks.misses(),
                blocks.evictions(),
                loader.loadedBytes(),
                loader.aheadBytes(),
                loader.corruptBlocks(),
                loader.liveBytes(),
                loader.queuedLoads());
    }

    /** Frees the cache. Buffers that readers hold stay valid until they release them. */
    @Override
    public void close() {
        blocks.close();
        footers.synchronous().invalidateAll();
        manifests.synchronous().invalidateAll();
    }

    private CompletableFuture<BundleFooter> footer(long objectId, long objectBytes, ReadClass as) {
        CompletableFuture<BundleFooter> footer =
                footers.get(objectId, (id, executor) -> footerLoader.load(id, objectBytes, as));
        if (as == ReadClass.TAIL && !footer.isDone()) {
            footerLoader.hasten(objectId);
        }
        return footer;
    }

    private static int find(BundleFooter footer, Location location) {
        int range = footer.find(location.streamId(), location.position());
        if (range < 0
                || footer.range(range).length() != location.length()
                || footer.range(range).baseOffset() != location.baseOffset()) {
            throw new ObjectStoreException(
                    Reason.CORRUPT,
                    "the footer of object " + ObjectKeys.key(location.objectId()) + " has no such range: " + location,
                    null);
        }
        return range;
    }

    private CompletionStage<ByteBuf> slice(
            long objectId, BundleFooter footer, long start, long end, long aheadEnd, ReadClass as) {
        int first = block(start);
        int last = block(end - 1);
        return blocks.acquire(objectId, footer, first, last, block(aheadEnd - 1), as)
                .thenApply(acquired -> compose(acquired, start - (long) first * BundleFormat.BLOCK_BYTES, end - start));
    }

    /** Takes over the blocks' references. */
    private ByteBuf compose(List<BlockBuffer> acquired, long skip, long length) {
        int from = (int) skip;
        if (acquired.size() == 1) {
            return acquired.get(0).slice(from, (int) length);
        }
        CompositeByteBuf whole = allocator.compositeBuffer(Math.max(16, acquired.size()));
        int left = Math.toIntExact(length);
        for (BlockBuffer block : acquired) {
            int step = Math.min(left, block.length() - from);
            whole.addComponent(true, block.slice(from, step));
            left -= step;
            from = 0;
        }
        return whole;
    }

    private static int block(long position) {
        return Math.toIntExact(position / BundleFormat.BLOCK_BYTES);
    }
}
