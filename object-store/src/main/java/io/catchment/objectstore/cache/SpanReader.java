package io.catchment.objectstore.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.ObjectBytes;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.bundle.BlockChecksums;
import io.catchment.objectstore.bundle.BundleFooter;
import io.catchment.objectstore.bundle.BundleFormat;
import io.catchment.objectstore.manifest.ManifestLoader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Thread-safe. Verified bytes of objects (O4) for who reads long runs of them, each once: a run is one request, and brings the object's footer with it where that is
 * near. Of footers only the blocks' checksums are kept, a few bytes for each object; of blocks nothing, so a run should be all that is wanted of
 * its surroundings.
 */
public final class SpanReader implements ObjectBytes, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SpanReader.class);
    /** Of a request, for the same reason as with blocks: the S3 client hands a body on as one array. */
    private static final int REQUEST_BLOCKS_MAX = 7;

    private static final long REQUEST_BYTES_MAX = (long) REQUEST_BLOCKS_MAX * BundleFormat.BLOCK_BYTES;
    /** A run of so many bytes is one request wherever it begins. */
    public static final int RUN_BYTES_MAX = (REQUEST_BLOCKS_MAX - 1) * BundleFormat.BLOCK_BYTES;

    private static final long SUMS_BYTES_MAX = 8 << 20;
    private static final int ATTEMPTS_MAX = 3;

    private final ObjectStore store;
    private final ByteBufAllocator allocator;
    private final ScheduledExecutorService timer;
    private final FooterLoader footers;
    private final ManifestLoader manifests;
    private final Cache<Long, Sums> sums = Caffeine.newBuilder()
            .maximumWeight(SUMS_BYTES_MAX)
            .weigher((Long id, Sums of) -> 64 + 4 * of.crcs.length)
            .executor(Runnable::run)
            .build();

    /** @param timer for pauses before what was bad is read again; not closed here */
    public SpanReader(ObjectStore store, ByteBufAllocator allocator, ScheduledExecutorService timer) {
        this.store = store;
        this.allocator = allocator;
        this.timer = timer;
        this.footers = new FooterLoader(store, timer);
        this.manifests = new ManifestLoader(store, () -> {});
    }

    /** The checksums of an object's blocks. */
    private static final class Sums {
        private final long bodyBytes;
        private final int[] crcs;

        private Sums(long bodyBytes, int[] crcs) {
            this.bodyBytes = bodyBytes;
            this.crcs = crcs;
        }

        static Sums of(BundleFooter footer) {
            int[] crcs = new int[footer.blockCount()];
            for (int block = 0; block < crcs.length; block++) {
                crcs[block] = footer.blockCrc(block);
            }
            return new Sums(footer.bodyBytes(), crcs);
        }
    }

    private record Span(long objectId, long objectBytes, long position, int length) {
        long blockStart() {
            return position - position % BundleFormat.BLOCK_BYTES;
        }

        String key() {
            return ObjectKeys.key(objectId);
        }
    }

    /**
     * How many requests a run costs.
     *
     * @param known something of the object was read before
     */
    public static int requests(long objectBytes, long position, int length, boolean known) {
        long start = position - position % BundleFormat.BLOCK_BYTES;
        if (!known && objectBytes - start <= REQUEST_BYTES_MAX) {
            return 1;
        }
        long bytes = position + length - start;
        return (known ? 0 : 1) + Math.toIntExact((bytes + REQUEST_BYTES_MAX - 1) / REQUEST_BYTES_MAX);
    }

    @Override
    public CompletionStage<ByteBuf> bytes(long objectId, long objectBytes, long position, int length) {
        if (length == 0) {
            return CompletableFuture.completedFuture(Unpooled.EMPTY_BUFFER);
        }
        Span span = new Span(objectId, objectBytes, position, length);
        return attempt(span, 1);
    }

    private CompletableFuture<ByteBuf> attempt(Span span, int attempt) {
        return read(span).exceptionallyCompose(failure -> {
            Throwable cause = StageFailure.cause(failure);
            boolean corrupt = cause instanceof ObjectStoreException known && known.reason() == Reason.CORRUPT;
            if (!corrupt) {
                return CompletableFuture.failedFuture(cause);
            }
            if (attempt < ATTEMPTS_MAX) {
                LOG.warn("object {}: {}; reading again", span.key(), cause.getMessage());
                return CompletableFuture.runAsync(
                                () -> {},
                                CompletableFuture.delayedExecutor(
                                        RereadPause.ms(attempt), TimeUnit.MILLISECONDS, timer))
                        .thenCompose(nothing -> attempt(span, attempt + 1));
            }
            LOG.error(
                    "object {} is not what was written, read {} times: {}; it is not used (O4)",
                    span.key(),
                    ATTEMPTS_MAX,
                    cause.getMessage());
            return CompletableFuture.failedFuture(cause);
        });
    }

    private CompletableFuture<ByteBuf> read(Span span) {
        Sums known = sums.getIfPresent(span.objectId);
        if (known != null) {
            return pieces(span, known);
        }
        return span.objectBytes - span.blockStart() <= REQUEST_BYTES_MAX
                ? withFooter(span)
                : footers.load(span.objectId, span.objectBytes)
                        .thenCompose(footer -> pieces(span, remember(span, footer)));
    }

    private Sums remember(Span span, BundleFooter footer) {
        Sums of = Sums.of(footer);
        sums.put(span.objectId, of);
        return of;
    }

    /** To the object's end, which is near. */
    private CompletableFuture<ByteBuf> withFooter(Span span) {
        int length = Math.toIntExact(span.objectBytes - span.blockStart());
        return store.get(span.key(), span.blockStart(), length)
                .toCompletableFuture()
                .thenCompose(bytes -> {
                    BundleFooter footer;
                    try {
                        footer = footerIn(bytes, span.objectBytes);
                    } catch (RuntimeException bad) {
                        bytes.release();
                        throw bad;
                    }
                    if (footer != null) {
                        return CompletableFuture.completedFuture(verified(span, bytes, remember(span, footer)));
                    }
                    return footers.load(span.objectId, span.objectBytes)
                            .whenComplete((late, failure) -> {
                                if (failure != null) {
                                    bytes.release();
                                }
                            })
                            .thenApply(late -> verified(span, bytes, remember(span, late)));
                });
    }

    /** Null when it begins before these bytes. */
    private static @Nullable BundleFooter footerIn(ByteBuf bytes, long objectBytes) {
        int needed = BundleFooter.footerAndTrailerBytes(bytes, objectBytes);
        return needed > bytes.readableBytes()
                ? null
                : BundleFooter.read(bytes.slice(bytes.writerIndex() - needed, needed), objectBytes);
    }

    /** As many requests as it takes, one after the other. */
    private CompletableFuture<ByteBuf> pieces(Span span, Sums of) {
        long end = span.position + span.length;
        if (end > of.bodyBytes) {
            return CompletableFuture.failedFuture(outside(end, of));
        }
        long pieceEnd = Math.min(end, span.blockStart() + REQUEST_BYTES_MAX);
        Span piece =
                new Span(span.objectId, span.objectBytes, span.position, Math.toIntExact(pieceEnd - span.position));
        CompletableFuture<ByteBuf> first = piece(piece, of);
        if (pieceEnd == end) {
            return first;
        }
        Span rest = new Span(span.objectId, span.objectBytes, pieceEnd, Math.toIntExact(end - pieceEnd));
        return first.thenCompose(bytes -> pieces(rest, of)
                .whenComplete((more, failure) -> {
                    if (failure != null) {
                        bytes.release();
                    }
                })
                .thenApply(more -> joined(bytes, more)));
    }

    private ByteBuf joined(ByteBuf first, ByteBuf second) {
        CompositeByteBuf both = allocator.compositeBuffer(Integer.MAX_VALUE);
        return both.addFlattenedComponents(true, first).addFlattenedComponents(true, second);
    }

    private CompletableFuture<ByteBuf> piece(Span piece, Sums of) {
        long blockEnd = (piece.position + piece.length + BundleFormat.BLOCK_BYTES - 1)
                / BundleFormat.BLOCK_BYTES
                * BundleFormat.BLOCK_BYTES;
        int length = Math.toIntExact(Math.min(of.bodyBytes, blockEnd) - piece.blockStart());
        return store.get(piece.key(), piece.blockStart(), length)
                .toCompletableFuture()
                .thenApply(bytes -> verified(piece, bytes, of));
    }

    private static ObjectStoreException outside(long end, Sums of) {
        return new ObjectStoreException(
                Reason.CORRUPT, "its body of " + of.bodyBytes + " bytes ends before byte " + end, null);
    }

    /** Takes over the bytes, which begin where the span's first block does; those of the span, all blocks of which were verified. */
    private static ByteBuf verified(Span span, ByteBuf bytes, Sums of) {
        try {
            int first = Math.toIntExact(span.blockStart() / BundleFormat.BLOCK_BYTES);
            long end = span.position + span.length;
            if (end > of.bodyBytes) {
                throw outside(end, of);
            }
            for (int block = first; (long) block * BundleFormat.BLOCK_BYTES < end; block++) {
                int at = Math.toIntExact((long) block * BundleFormat.BLOCK_BYTES - span.blockStart());
                int length = (int)
                        Math.min(BundleFormat.BLOCK_BYTES, of.bodyBytes - (long) block * BundleFormat.BLOCK_BYTES);
                if (block >= of.crcs.length
                        || length <= 0
                        || BlockChecksums.of(bytes, bytes.readerIndex() + at, length) != of.crcs[block]) {
                    throw new ObjectStoreException(Reason.CORRUPT, "block " + block + ": checksum differs", null);
                }
            }
        } catch (RuntimeException bad) {
            bytes.release();
            throw bad;
        }
        return bytes.slice(bytes.readerIndex() + Math.toIntExact(span.position - span.blockStart()), span.length);
    }

    @Override
    public CompletionStage<Manifest> manifest(long objectId, long objectBytes) {
        return manifests.load(objectId, objectBytes);
    }

    @Override
    public void close() {
        sums.invalidateAll();
    }
}
