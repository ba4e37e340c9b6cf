package io.catchment.broker.merge;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Owned by the loop of its {@link Rewrites}. Streams with a range that cannot be read rest, so that others need not wait for them.
 *
 * <p>What is not what was written, or not there, is the stream's own trouble. If the store did not serve the read, it may as well be the store's, and then
 * nobody is to rest: the stream is <i>doubted</i>, others go before it. When a step of theirs succeeds, it is tried again, as one that was
 * <i>outlived</i>: should it fail once more, the store serves others and not this one, and it rests.
 */
final class RestingStreams {
    private static final long REST_NANOS = TimeUnit.MINUTES.toNanos(10);

    private final LongSupplier nanoTime;
    private final Map<Long, Long> restingUntilNanos = new HashMap<>();
    private final Set<Long> doubted = new HashSet<>();
    private final Map<Long, Long> outlivedUntilNanos = new HashMap<>();

    /** @param nanoTime monotonic */
    RestingStreams(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Those that are not to be touched now. */
    Set<Long> now() {
        long now = nanoTime.getAsLong();
        restingUntilNanos.values().removeIf(until -> until - now <= 0);
        outlivedUntilNanos.values().removeIf(until -> until - now <= 0);
        Set<Long> all = new HashSet<>(restingUntilNanos.keySet());
        all.addAll(doubted);
        return all;
    }

    /** No other stream has anything to do; whether there were doubted ones, which may be touched again. */
    boolean onlyDoubtedAreLeft() {
        boolean any = !doubted.isEmpty();
        doubted.clear();
        return any;
    }

    void failed(UnreadableRangeException unreadable) {
        long stream = unreadable.streamId();
        if (!unreadable.mayBeTheStores() || outlivedUntilNanos.remove(stream) != null) {
            restingUntilNanos.put(stream, nanoTime.getAsLong() + REST_NANOS);
        } else {
            doubted.add(stream);
        }
    }

    /** A step, which has read all of these streams that was to be read. */
    void succeeded(Set<Long> readWhole) {
        readWhole.forEach(outlivedUntilNanos::remove);
        long until = nanoTime.getAsLong() + REST_NANOS;
        doubted.forEach(stream -> outlivedUntilNanos.put(stream, until));
        doubted.clear();
    }
}
