package io.catchment.broker.near;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Which reader was sent to a node in its zone a moment ago: if it comes back it has met an error there, or does not know the node yet, and must
 * not be sent there again at once, or it would never read. Guarded by its lock; only readers from other zones come here.
 */
final class Redirects {
    static final long RETURN_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int KEPT_MAX = 100_000;

    private final Map<Reader, Long> sent = new LinkedHashMap<>();

    private record Reader(String connection, long streamId) {}

    /** Whether it was sent a moment ago. */
    synchronized boolean isSent(String connection, long streamId, long nowNanos) {
        Long at = sent.get(new Reader(connection, streamId));
        return at != null && nowNanos - at < RETURN_NANOS;
    }

    /** Whether to send it; it counts as sent then. */
    synchronized boolean send(String connection, long streamId, long nowNanos) {
        forget(nowNanos);
        return sent.putIfAbsent(new Reader(connection, streamId), nowNanos) == null;
    }

    private void forget(long nowNanos) {
        Iterator<Long> oldestFirst = sent.values().iterator();
        while (oldestFirst.hasNext() && (nowNanos - oldestFirst.next() >= RETURN_NANOS || sent.size() >= KEPT_MAX)) {
            oldestFirst.remove();
        }
    }
}
