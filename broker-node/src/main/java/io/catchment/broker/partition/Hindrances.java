package io.catchment.broker.partition;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Since when this node owns streams that it does not serve yet. Noted by the opener's thread, read from any; one entry for each such stream. */
final class Hindrances {
    private final LongSupplier nanoTime;
    private final Map<Long, Long> sinceNanos = new ConcurrentHashMap<>();

    Hindrances(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    void began(long streamId) {
        sinceNanos.putIfAbsent(streamId, nanoTime.getAsLong());
    }

    /** Served, another node's, or deleted. */
    void over(long streamId) {
        sinceNanos.remove(streamId);
    }

    /** 0 for a stream that the opener's thread has not heard of yet. */
    long sinceMs(long streamId) {
        @Nullable Long since = sinceNanos.get(streamId);
        return since == null ? 0 : TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong() - since);
    }
}
