package io.catchment.broker.fetch;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;

/**
 * The slots of incremental fetch sessions by session id. Thread-safe. Kafka's own session cache decides what a session is and
 * when it ends; this only remembers between requests what would else be worked out anew, so it may forget at any time.
 */
final class FetchSessions {
    private final int sessionsMax;
    private final int idleMs;
    private final Time time;
    private final ConcurrentHashMap<Integer, FetchSlots> byId = new ConcurrentHashMap<>();

    FetchSessions(int sessionsMax, int idleMs, Time time) {
        this.sessionsMax = sessionsMax;
        this.idleMs = idleMs;
        this.time = time;
    }

    @Nullable
    FetchSlots find(int sessionId) {
        FetchSlots slots = byId.get(sessionId);
        if (slots != null) {
            slots.used(time.hiResClockMs());
        }
        return slots;
    }

    /** Drops what nobody used for long on the way: a client may vanish between two requests. */
    void keep(int sessionId, FetchSlots slots) {
        FetchSlots before = byId.put(sessionId, slots);
        if (before != null && before != slots) {
            before.disposeOnLoop();
        }
        long now = time.hiResClockMs();
        slots.used(now);
        byId.forEach((id, kept) -> {
            if (now - kept.lastUsedMs() > idleMs) {
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
                    || entry.getValue().lastUsedMs() - oldest.getValue().lastUsedMs() < 0) {
                oldest = entry;
            }
        }
        if (oldest != null) {
            drop(oldest.getKey(), oldest.getValue());
        }
    }
}
