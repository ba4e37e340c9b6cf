package io.catchment.broker.near;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Nodes that do not ask this owner how far its streams are, though readers were sent to them: they hang and nobody has noticed yet, or cannot reach
 * this node. Each reader would lose seconds there, so one is sent from time to time to see, the others read here. Guarded by its
 * lock; knows only nodes that readers were sent to.
 */
final class SilentNodes {
    /** A node asks twice a second from its first reader on, but a reader may take a moment to turn up there. */
    static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(3);

    static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Map<Integer, Sent> unheard = new HashMap<>();

    /**
     * @param sinceNanos the first reader was sent since the node was heard
     * @param lastNanos a reader was sent although the node was silent
     */
    private record Sent(long sinceNanos, long lastNanos) {}

    /** The node has asked. */
    synchronized void heard(int nodeId) {
        if (!unheard.isEmpty()) {
            unheard.remove(nodeId);
        }
    }

    /** Whether to send a reader there; it counts as sent then. */
    synchronized boolean send(int nodeId, long nowNanos) {
        Sent sent = unheard.get(nodeId);
        if (sent == null) {
            unheard.put(nodeId, new Sent(nowNanos, nowNanos));
            return true;
        }
        if (nowNanos - sent.sinceNanos < SILENCE_NANOS) {
            return true;
        }
        if (nowNanos - sent.lastNanos < RETRY_NANOS) {
            return false;
        }
        unheard.put(nodeId, new Sent(sent.sinceNanos, nowNanos));
        return true;
    }
}
