package io.catchment.broker.fetch;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The slots of incremental fetch sessions by session id. Thread-safe. Kafka's own session cache decides what a session is and
 * when it ends; this only remembers between requests what would else be worked out anew, so it may forget at any time.
 */
final class FetchSessions {
    private final int sessionsMax;
    private final long idleNanos;
    private final ConcurrentHashMap<Integer, FetchSlots> byId = new ConcurrentHashMap<>();

    FetchSessions(int sessionsMax, int idleMs) {
        this.sessionsMax = sessionsMax;
        this.idleNanos = TimeUnit.MILLISECONDS.toNanos(idleMs);
    }

    @Nullable
    FetchSlots find(int sessionId) {
        return byId.get(sessionId);
    }

    /** Drops what nobody used for long on the way: a client may vanish between two requests. */
    void keep(int sessionId, FetchSlots slots) {
        FetchSlots before = byId.put(sessionId, slots);
        if (before != null && before != slots) {
            before.disposeOnLoop();
        }
        long now = System.nanoTime();
        byId.forEach((id, kept) -> {
            if (now - kept.lastUsedNanos() > idleNanos) {
                drop(id, kept);
            }
        });
        while (byId.size() > sessionsMax) {
            dropLongestUnused();
        }
    }

    void drop(int sessionId) {
        FetchSlots slots = byId.remove(sessionId);
        if (slots != null) {
            slots.disposeOnLoop();
        }
    }

    /** Only if these are still the session's slots. */
    void drop(int sessionId, FetchSlots slots) {
        if (byId.remove(sessionId, slots)) {
            slots.disposeOnLoop();
        }
    }

    int size() {
        return byId.size();
    }

    private void dropLongestUnused() {
        Map.Entry<Integer, FetchSlots> oldest = null;
        for (Map.Entry<Integer, FetchSlots> entry : byId.entrySet()) {
            if (oldest == null
                    || entry.getValue().lastUsedNanos() - oldest.getValue().lastUsedNanos() < 0) {
                oldest = entry;
            }
        }
        if (oldest != null) {
            drop(oldest.getKey(), oldest.getValue());
        }
    }
}
