package io.catchment.objectstore.cache;

import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.ReadClass;
import io.catchment.objectstore.bundle.BlockChecksums;
import io.catchment.objectstore.bundle.BundleFormat;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads blocks from the store and verifies them (O4). The queue and the count of running loads are owned by {@code lock}, which is never
 * held during a call to the store or to the landing.
 *
 * <p>Bounds: so many loads at a time, so many in the queue, and so many bytes of blocks alive in all ({@code liveBytes}: cached, loading, or
 * evicted but held by a reader). A load over a bound waits, at most {@code waitMs}, for a load to end or a reader to release.
 *
 * <p>Loads of readers that catch up are known by their blocks until they arrive, so that one for which somebody at the tail comes to wait goes on as
 * one of those, wherever it waits.
 */
final class BlockLoader {
    private static final Logger LOG = LoggerFactory.getLogger(BlockLoader.class);
    private static final int ATTEMPTS_MAX = 3;

    /** Where blocks go. Each block of a load lands, or fails, exactly once. */
    interface Landing {
        /** @param i index in the load; the receiver takes over one reference */
        void landed(Load load, int i, BlockBuffer block);

        void failed(Load load, Throwable cause);
    }

    /** A load on its way. Its fields that change are owned by the loader's lock. */
    static final class Queued {
        private final Landing landing;
        private Load load;
        private @Nullable CompletionStage<ByteBuf> sent;

        Queued(Load load, Landing landing) {
            this.load = load;
            this.landing = landing;
        }

        ReadClass as() {
            return load.as();
        }
    }

    private final Function<ReadClass, ObjectStore> stores;
    private final ReaderSettings settings;
    private final ByteBufAllocator allocator;
    private final ScheduledExecutorService timer;
    private final CatchUpRoom room;
    private final ReentrantLock lock = new ReentrantLock();
    private final LoadQueue queue;
    private final Map<BlockKey, Queued> catchingUp = new HashMap<>();
    private int running;
    private volatile int queued;

    private final AtomicLong liveBytes = new AtomicLong();
    private final AtomicInteger partialReads = new AtomicInteger();
    private final LongAdder loadedBytes = new LongAdder();
    private final LongAdder aheadBytes = new LongAdder();
    private final LongAdder corruptBlocks = new LongAdder();

    BlockLoader(
            Function<ReadClass, ObjectStore> stores,
            ReaderSettings settings,
            ByteBufAllocator allocator,
            ScheduledExecutorService timer,
            CatchUpRoom room) {
        this.stores = stores;
        this.settings = settings;
        this.allocator = allocator;
        this.timer = timer;
        this.room = room;
        this.queue = new LoadQueue(settings.queueMax());
    }

    /** A read of several blocks has begun to wait; it may hold some of them. */
    void partialReadBegins() {
        partialReads.incrementAndGet();
    }

    void partialReadEnds() {
        partialReads.decrementAndGet();
    }

    /** Now or when there is room. */
    void load(Load load, Landing landing) {
        Queued entry = new Queued(load, landing);
        boolean full;
        boolean waits;
        lock.lock();
        try {
            waits = queue.goesBehindOthers(load.as()) || !fits(load);
            full = !queue.add(entry);
            if (!full) {
                know(entry);
            }
            queued = queue.size();
        } finally {
            lock.unlock();
        }
        if (full) {
            landing.failed(load, busy("its queue of " + settings.queueMax() + " loads is full"));
            return;
        }
        if (waits) {
            ScheduledFuture<?> unused = timer.schedule(() -> giveUp(entry), settings.waitMs(), TimeUnit.MILLISECONDS);
        }
        startWhatFits();
    }

    /** Only if nothing else waits and half of the bounds stays free for what is really asked for. */
    boolean tryAhead(Load load, Landing landing) {
        Queued entry = new Queued(load, landing);
        lock.lock();
        try {
            boolean fits = queue.isEmpty()
                    && running < Math.min(loadsMax(load.as()), Math.max(1, settings.loadsMax() / 2))
                    && liveBytes.get() + load.bytes() <= settings.cacheBytes() + settings.extraBytes() / 2;
            if (!fits) {
                return false;
            }
            running++;
            liveBytes.addAndGet(load.bytes());
            know(entry);
        } finally {
            lock.unlock();
        }
        start(entry);
        return true;
    }

    /** Somebody at the tail waits for the block: the load that brings it to readers that catch up goes on as one of those at the tail. */
    void hasten(BlockKey key) {
        CompletionStage<ByteBuf> sent;
        lock.lock();
        try {
            Queued entry = catchingUp.get(key);
            if (entry == null) {
                return;
            }
            forget(entry);
            boolean waitsHere = queue.moveToTail(entry);
            entry.load = entry.load.atTheTail();
            sent = waitsHere ? null : entry.sent;
        } finally {
            lock.unlock();
        }
        if (sent != null) {
            stores.apply(ReadClass.TAIL).hasten(sent);
        }
        startWhatFits();
    }

    /** Under the lock. */
    private void know(Queued entry) {
        if (entry.as() == ReadClass.CATCH_UP) {
            for (int i = 0; i < entry.load.count(); i++) {
                catchingUp.put(entry.load.key(i), entry);
            }
        }
    }

    /** Under the lock. */
    private void forget(Queued entry) {
        for (int i = 0; i < entry.load.count(); i++) {
            catchingUp.remove(entry.load.key(i), entry);
        }
    }

    /** Whether so many bytes more are no more than half of what is free for those who read so; nobody waits. */
    boolean hasRoom(ReadClass as, long bytes) {
        return queued == 0 && liveBytes.get() + bytes <= settings.cacheBytes() + extra(as) / 2;
    }

    long liveBytes() {
        return liveBytes.get();
    }

    long loadedBytes() {
        return loadedBytes.sum();
    }

    long aheadBytes() {
        return aheadBytes.sum();
    }

    long corruptBlocks() {
        return corruptBlocks.sum();
    }

    int queuedLoads() {
        return queued;
    }

    void corruptFooter() {
        corruptBlocks.increment();
    }

    /**
     * Reads of several blocks hold what has come while they wait for the rest. When nothing is loading, all may wait for each other's memory:
     * then loads may take as much again as {@code extraBytes}, one at a time, so that one of them is done. Readers that catch up leave a quarter of
     * the bounds to those at the tail.
     */
    private boolean fits(Load load) {
        long live = liveBytes.get();
        boolean stuck = running == 0 && partialReads.get() > 0;
        long bound = settings.cacheBytes() + extra(load.as()) * (stuck ? 2 : 1);
        return running < loadsMax(load.as()) && (live == 0 || live + load.bytes() <= bound);
    }

    private long extra(ReadClass as) {
        return as == ReadClass.TAIL ? settings.extraBytes() : settings.extraBytes() / 4 * 3;
    }

    private int loadsMax(ReadClass as) {
        return as == ReadClass.TAIL ? settings.loadsMax() : room.loads(Math.max(1, settings.loadsMax() / 4 * 3));
    }

    private void startWhatFits() {
        List<Queued> starting = new ArrayList<>(2);
        lock.lock();
        try {
            Queued next = queue.peek();
            while (next != null && fits(next.load)) {
                queue.remove(next);
                running++;
                liveBytes.addAndGet(next.load.bytes());
                starting.add(next);
                next = queue.peek();
            }
            queued = queue.size();
        } finally {
            lock.unlock();
        }
        starting.forEach(this::start);
    }

    private void start(Queued entry) {
        Load load = present(entry);
        long position = (long) load.firstBlock() * BundleFormat.BLOCK_BYTES;
        CompletionStage<ByteBuf> sent;
        try {
            sent = stores.apply(load.as())
                    .get(ObjectKeys.key(load.objectId()), position, Math.toIntExact(load.bytes()));
        } catch (RuntimeException refused) {
            arrived(entry, null, refused);
            return;
        }
        sent.whenComplete((bytes, failure) -> arrived(entry, bytes, failure));
        if (isHastened(entry, load, sent)) {
            stores.apply(ReadClass.TAIL).hasten(sent);
        }
    }

    private Load present(Queued entry) {
        lock.lock();
        try {
            return entry.load;
        } finally {
            lock.unlock();
        }
    }

    /** Whether that was done while the request was on its way to where it waits. */
    private boolean isHastened(Queued entry, Load asSent, CompletionStage<ByteBuf> sent) {
        lock.lock();
        try {
            entry.sent = sent;
            return entry.as() != asSent.as();
        } finally {
            lock.unlock();
        }
    }

    private void arrived(Queued entry, @Nullable ByteBuf bytes, @Nullable Throwable failure) {
        lock.lock();
        try {
            running--;
            forget(entry);
        } finally {
            lock.unlock();
        }
        if (bytes == null) {
            liveBytes.addAndGet(-entry.load.bytes());
            Throwable cause = StageFailure.cause(failure);
            boolean corrupt = cause instanceof ObjectStoreException known && known.reason() == Reason.CORRUPT;
            if (!corrupt || !again(entry, 0, entry.load.count(), "shorter than its footer says")) {
                entry.landing.failed(entry.load, cause);
            }
        } else {
            split(entry, bytes);
        }
        startWhatFits();
    }

    private void split(Queued entry, ByteBuf bytes) {
        Load load = entry.load;
        int at = bytes.readerIndex();
        try {
            for (int i = 0; i < load.count(); i++) {
                int length = load.footer().blockBytes(load.firstBlock() + i);
                verify(entry, i, bytes, at, length);
                at += length;
            }
        } finally {
            bytes.release();
        }
    }

    private void verify(Queued entry, int i, ByteBuf bytes, int at, int length) {
        Load load = entry.load;
        if (BlockChecksums.of(bytes, at, length) != load.footer().blockCrc(load.firstBlock() + i)) {
            liveBytes.addAndGet(-length);
            bad(entry, i);
            return;
        }
        BlockBuffer block;
        try {
            block = block(bytes, at, length, load.count() == 1);
        } catch (OutOfMemoryError noDirectMemory) {
            liveBytes.addAndGet(-length);
            entry.landing.failed(load.again(i), busy("no direct memory for a block"));
            return;
        }
        loadedBytes.add(length);
        if (load.ahead()) {
            aheadBytes.add(length);
        }
        entry.landing.landed(load, i, block);
    }

    /** The store's own memory where the block is a piece of it by itself, else a copy: a block must not keep others alive. */
    private BlockBuffer block(ByteBuf bytes, int at, int length, boolean alone) {
        if (bytes instanceof CompositeByteBuf pieces) {
            int piece = pieces.toComponentIndex(at);
            if (pieces.toByteIndex(piece) == at && pieces.componentSlice(piece).readableBytes() == length) {
                return new BlockBuffer(pieces.componentSlice(piece).retain(), this::freed);
            }
        }
        if (alone && bytes.isDirect() && bytes.nioBufferCount() == 1 && bytes.capacity() == length) {
            return new BlockBuffer(bytes.retain(), this::freed);
        }
        ByteBuf memory = allocator.directBuffer(length, length);
        memory.writeBytes(bytes, at, length);
        return new BlockBuffer(memory, this::freed);
    }

    private void bad(Queued entry, int i) {
        if (!again(entry, i, 1, "checksum differs")) {
            Load one = entry.load.again(i);
            String message = "block " + one.firstBlock() + " of object " + ObjectKeys.key(one.objectId())
                    + " is not what was written, read " + ATTEMPTS_MAX + " times";
            LOG.error(
                    "{}; it is not served (O4). Compare the object with a backup or another replica of the bucket.",
                    message);
            entry.landing.failed(one, new ObjectStoreException(Reason.CORRUPT, message, null));
        }
    }

    /** Asks the store once more, after a pause, for blocks that were bad, one by one; false when that was done often enough. */
    private boolean again(Queued entry, int from, int count, String what) {
        Load load = entry.load;
        corruptBlocks.add(count);
        if (load.attempt() >= ATTEMPTS_MAX) {
            return false;
        }
        LOG.warn(
                "object {}, {} block(s) from {}: {}; reading again (attempt {} of {})",
                ObjectKeys.key(load.objectId()),
                count,
                load.firstBlock() + from,
                what,
                load.attempt() + 1,
                ATTEMPTS_MAX);
        for (int i = from; i < from + count; i++) {
            Load one = load.again(i);
            try {
                ScheduledFuture<?> unused = timer.schedule(
                        () -> load(one, entry.landing), RereadPause.ms(load.attempt()), TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException ending) {
                entry.landing.failed(one, busy("the node stops"));
            }
        }
        return true;
    }

    /** From {@link BlockBuffer}, on whatever thread released last. */
    private void freed(int bytes) {
        liveBytes.addAndGet(-bytes);
        if (queued > 0) {
            startWhatFits();
        }
    }

    private void giveUp(Queued entry) {
        boolean waited;
        lock.lock();
        try {
            waited = queue.remove(entry);
            if (waited) {
                forget(entry);
            }
            queued = queue.size();
        } finally {
            lock.unlock();
        }
        if (waited) {
            entry.landing.failed(entry.load, busy("no room for " + settings.waitMs() + " ms"));
            startWhatFits();
        }
    }

    private static ObjectStoreException busy(String why) {
        return new ObjectStoreException(Reason.TRANSIENT, "the object reader is busy: " + why, null);
    }
}
