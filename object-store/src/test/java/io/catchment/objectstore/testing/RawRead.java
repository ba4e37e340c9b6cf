package io.catchment.objectstore.testing;

import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStore.Listed;
import io.catchment.objectstore.open.ObjectStores;
import io.catchment.objectstore.retry.RetryPolicy;
import io.catchment.objectstore.retry.StoreListener;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Reads objects as fast as the client can, and throws away what it gets. An eighth is read before the clock starts. {@code main} takes the store's URI, how
 * many bytes at most, and how many ranges at a time; its last line has the figures.
 */
public final class RawRead {
    private static final int RANGE_BYTES = 8 << 20;

    private record Range(String key, long position, int length) {}

    private final ObjectStore store;
    private final ConcurrentLinkedQueue<Range> left;
    private final AtomicLong bytes = new AtomicLong();

    private RawRead(ObjectStore store, List<Range> ranges) {
        this.store = store;
        this.left = new ConcurrentLinkedQueue<>(ranges);
    }

    private void run(int places) {
        CompletableFuture<?>[] chains = new CompletableFuture<?>[places];
        for (int i = 0; i < places; i++) {
            chains[i] = next();
        }
        CompletableFuture.allOf(chains).join();
    }

    private CompletableFuture<@Nullable Void> next() {
        Range range = left.poll();
        if (range == null) {
            return CompletableFuture.completedFuture(null);
        }
        return store.get(range.key(), range.position(), range.length())
                .toCompletableFuture()
                .thenAccept(this::take)
                .thenComposeAsync(done -> next());
    }

    private void take(ByteBuf body) {
        bytes.addAndGet(body.readableBytes());
        body.release();
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 3) {
            System.err.println("usage: RawRead URI BYTES_MAX PLACES");
            System.exit(2);
        }
        long bytesMax = Long.parseLong(arguments[1]);
        int places = Integer.parseInt(arguments[2]);
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
        ObjectStore store = ObjectStores.open(arguments[0], Map.of(), RetryPolicy.DEFAULT, timer, StoreListener.NONE);
        ArrayDeque<Range> ranges = new ArrayDeque<>();
        long all = 0;
        for (Listed object : store.list(ObjectKeys.PREFIX).toCompletableFuture().get(60, TimeUnit.SECONDS)) {
            for (long at = 0; at < object.bytes() && all < bytesMax; at += RANGE_BYTES) {
                int length = (int) Math.min(RANGE_BYTES, object.bytes() - at);
                ranges.add(new Range(object.key(), at, length));
                all += length;
            }
        }
        List<Range> every = List.copyOf(ranges);
        int warmUp = every.size() / 8;
        new RawRead(store, every.subList(0, warmUp)).run(places);
        long start = System.nanoTime();
        long cpuBefore = cpuNanos();
        RawRead measured = new RawRead(store, every.subList(warmUp, every.size()));
        measured.run(places);
        System.out.println(String.format(
                Locale.ROOT,
                "raw read: bytes %d seconds %.3f cpu %.2f",
                measured.bytes.get(),
                (System.nanoTime() - start) / 1e9,
                (cpuNanos() - cpuBefore) / 1e9));
        System.exit(0);
    }

    private static long cpuNanos() {
        return ProcessHandle.current().info().totalCpuDuration().orElseThrow().toNanos();
    }
}
