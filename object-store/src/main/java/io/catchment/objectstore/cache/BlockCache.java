package io.catchment.objectstore.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.ReadClass;
import io.catchment.objectstore.bundle.BundleFooter;
import io.catchment.objectstore.bundle.BundleFormat;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Blocks by object and index. {@code flights} is owned by {@code lock}, which is never held during a call to the store, a completion or a
 * release; everything else is thread-safe by itself.
 *
 * <p>A block that is wanted and neither cached nor on its way starts a flight; who wants it meanwhile joins the flight (single-flight), which is
 * hastened if it was of a less urgent class. When
 * the block lands it is put into the cache first and its flight ends after that, so whoever finds no flight under the lock and looks into
 * the cache once more either finds the block or may start a new flight.
 */
final class BlockCache implements BlockLoader.Landing {
    /**
     * The S3 client hands a body on as one array on the heap. The launcher's regions of 16 MiB take one of that size as an ordinary object; a larger one
     * would start a collection of its own, which everybody at the tail waits for.
     */
    private static final int RUN_BLOCKS_MAX = 7;

    /** Who waits for a block, and the most urgent class of those. Owned by the lock. */
    private static final class Flight {
        private final List<CompletableFuture<BlockBuffer>> waiting = new ArrayList<>(2);
        private ReadClass as;

        Flight(ReadClass as) {
            this.as = as;
        }
    }

    private final Cache<BlockKey, BlockBuffer> blocks;
    private final BlockLoader loader;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<BlockKey, Flight> flights = new HashMap<>();
    private boolean closed;

    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final LongAdder evictions = new LongAdder();

    BlockCache(long cacheBytes, BlockLoader loader) {
        this.loader = loader;
        this.blocks = Caffeine.newBuilder()
                .maximumWeight(cacheBytes)
                .weigher((BlockKey key, BlockBuffer block) -> block.length())
                .executor(Runnable::run)
                .removalListener((@Nullable BlockKey key, @Nullable BlockBuffer block, RemovalCause cause) -> {
                    if (cause.wasEvicted()) {
                        evictions.increment();
                    }
                    if (block != null) {
                        block.release();
                    }
                })
                .build();
    }

    /**
     * Consecutive blocks, one reference each for the receiver. On failure none is held.
     *
     * @param aheadLast up to here blocks will be wanted soon: they come with the same request when one is made
     */
    CompletableFuture<List<BlockBuffer>> acquire(
            long objectId, BundleFooter footer, int first, int last, int aheadLast, ReadClass as) {
        List<CompletableFuture<BlockBuffer>> wanted = new ArrayList<>(last - first + 1);
        List<Integer> absent = new ArrayList<>();
        for (int block = first; block <= last; block++) {
            BlockBuffer cached = cached(new BlockKey(objectId, block));
            wanted.add(cached == null ? new CompletableFuture<>() : CompletableFuture.completedFuture(cached));
            if (cached == null) {
                absent.add(block);
            }
        }
        hits.add(wanted.size() - absent.size());
        misses.add(absent.size());
        if (absent.isEmpty()) {
            return CompletableFuture.completedFuture(
                    wanted.stream().map(CompletableFuture::join).toList());
        }
        if (wanted.size() == 1) {
            join(objectId, footer, first, absent, wanted, aheadLast, as);
            return Gathered.all(wanted);
        }
        loader.partialReadBegins();
        join(objectId, footer, first, absent, wanted, aheadLast, as);
        return Gathered.all(wanted).whenComplete((all, failure) -> loader.partialReadEnds());
    }

    /** Starts what of these blocks is neither cached nor under way, if there is room to spare. */
    void loadAhead(long objectId, BundleFooter footer, int first, int last, ReadClass as) {
        List<Integer> fresh = new ArrayList<>();
        lock.lock();
        try {
            for (int block = first; block <= last && !closed; block++) {
                BlockKey key = new BlockKey(objectId, block);
                if (!flights.containsKey(key) && blocks.getIfPresent(key) == null) {
                    flights.put(key, new Flight(as));
                    fresh.add(block);
                }
            }
        } finally {
            lock.unlock();
        }
        for (Load load : runs(objectId, footer, fresh, as, true)) {
            if (loader.tryAhead(load, this)) {
                hastenIfJoined(load);
            } else {
                notAhead(load);
            }
        }
    }

    /** There is no room to read ahead; but a read may have joined such a flight meanwhile, and has a right to its blocks. */
    private void notAhead(Load load) {
        List<Integer> joined = new ArrayList<>();
        lock.lock();
        try {
            for (int i = 0; i < load.count(); i++) {
                Flight flight = flights.get(load.key(i));
                if (flight == null || flight.waiting.isEmpty()) {
                    flights.remove(load.key(i));
                } else {
                    joined.add(load.firstBlock() + i);
                }
            }
        } finally {
            lock.unlock();
        }
        for (Load wanted : runs(load.objectId(), load.footer(), joined, load.as(), false)) {
            load(wanted);
        }
    }

    private void load(Load load) {
        loader.load(load, this);
        hastenIfJoined(load);
    }

    /** For those who joined before the loader knew of the load. */
    private void hastenIfJoined(Load load) {
        if (load.as() == ReadClass.TAIL) {
            return;
        }
        boolean joined = false;
        lock.lock();
        try {
            for (int i = 0; i < load.count(); i++) {
                Flight flight = flights.get(load.key(i));
                joined |= flight != null && flight.as == ReadClass.TAIL;
            }
        } finally {
            lock.unlock();
        }
        if (joined) {
            for (int i = 0; i < load.count(); i++) {
                loader.hasten(load.key(i));
            }
        }
    }

    @Override
    public void landed(Load load, int i, BlockBuffer block) {
        BlockKey key = load.key(i);
        block.retain();
        blocks.put(key, block);
        Flight flight;
        boolean late;
        lock.lock();
        try {
            flight = flights.remove(key);
            late = closed;
        } finally {
            lock.unlock();
        }
        if (late) {
            blocks.invalidate(key);
        }
        if (flight != null) {
            for (CompletableFuture<BlockBuffer> waiter : flight.waiting) {
                block.retain();
                if (!waiter.complete(block)) {
                    block.release();
                }
            }
        }
        block.release();
    }

    @Override
    public void failed(Load load, Throwable cause) {
        List<CompletableFuture<BlockBuffer>> waiting = new ArrayList<>();
        lock.lock();
        try {
            for (int i = 0; i < load.count(); i++) {
                Flight flight = flights.remove(load.key(i));
                if (flight != null) {
                    waiting.addAll(flight.waiting);
                }
            }
        } finally {
            lock.unlock();
        }
        waiting.forEach(waiter -> waiter.completeExceptionally(cause));
    }

    /** Forgets all blocks; what is still loading is let go when it lands. */
    void close() {
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
        blocks.invalidateAll();
    }

    long hits() {
        return hits.sum();
    }

    long misses() {
        return misses.sum();
    }

    long evictions() {
        return evictions.sum();
    }

    private @Nullable BlockBuffer cached(BlockKey key) {
        BlockBuffer block = blocks.getIfPresent(key);
        return block != null && block.tryRetain() ? block : null;
    }

    private void join(
            long objectId,
            BundleFooter footer,
            int first,
            List<Integer> absent,
            List<CompletableFuture<BlockBuffer>> wanted,
            int aheadLast,
            ReadClass as) {
        List<Integer> fresh = new ArrayList<>();
        List<Runnable> landedMeanwhile = new ArrayList<>();
        List<BlockKey> hastened = new ArrayList<>();
        boolean refused;
        lock.lock();
        try {
            refused = closed;
            for (int block : refused ? List.<Integer>of() : absent) {
                CompletableFuture<BlockBuffer> waiter = wanted.get(block - first);
                BlockKey key = new BlockKey(objectId, block);
                Flight flight = flights.get(key);
                BlockBuffer cached = flight == null ? cached(key) : null;
                if (cached != null) {
                    landedMeanwhile.add(() -> waiter.complete(cached));
                    continue;
                }
                if (flight == null) {
                    flight = new Flight(as);
                    flights.put(key, flight);
                    fresh.add(block);
                } else if (as == ReadClass.TAIL && flight.as != as) {
                    flight.as = as;
                    hastened.add(key);
                }
                flight.waiting.add(waiter);
            }
            if (!fresh.isEmpty()) {
                extend(objectId, fresh, first + wanted.size() - 1, aheadLast, as);
            }
        } finally {
            lock.unlock();
        }
        landedMeanwhile.forEach(Runnable::run);
        hastened.forEach(loader::hasten);
        if (refused) {
            ObjectStoreException cause = new ObjectStoreException(Reason.REFUSED, "the object reader is closed", null);
            absent.forEach(block -> wanted.get(block - first).completeExceptionally(cause));
        }
        for (Load load : runs(objectId, footer, fresh, as, false)) {
            load(load);
        }
    }

    /** A request is made for the last block wanted: what will be wanted next comes with it, while there is room. Under the lock. */
    private void extend(long objectId, List<Integer> fresh, int last, int aheadLast, ReadClass as) {
        int size = fresh.size();
        if (fresh.get(size - 1) != last || !loader.hasRoom(as, (long) (aheadLast - last) * BundleFormat.BLOCK_BYTES)) {
            return;
        }
        for (int block = last + 1; block <= aheadLast && fresh.size() % RUN_BLOCKS_MAX != 0; block++) {
            BlockKey key = new BlockKey(objectId, block);
            if (flights.containsKey(key) || blocks.getIfPresent(key) != null) {
                return;
            }
            flights.put(key, new Flight(as));
            fresh.add(block);
        }
    }

    /** Neighbouring blocks come with one request. */
    private static List<Load> runs(
            long objectId, BundleFooter footer, List<Integer> blocks, ReadClass as, boolean ahead) {
        List<Load> runs = new ArrayList<>(2);
        int from = 0;
        for (int i = 1; i <= blocks.size(); i++) {
            boolean ends = i == blocks.size() || blocks.get(i) != blocks.get(i - 1) + 1 || i - from == RUN_BLOCKS_MAX;
            if (ends) {
                runs.add(new Load(objectId, footer, blocks.get(from), i - from, 1, as, ahead));
                from = i;
            }
        }
        return runs;
    }
}
