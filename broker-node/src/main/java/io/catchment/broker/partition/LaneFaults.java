package io.catchment.broker.partition;

import io.catchment.wal.Lane;
import java.util.EnumMap;
import java.util.Map;

/** Why a lane does not accept, for messages. Immutable snapshots behind a volatile field: readable from any thread. */
final class LaneFaults {
    private volatile Map<Lane, String> reasons = Map.of();

    synchronized void set(Lane lane, String reason) {
        Map<Lane, String> next = new EnumMap<>(Lane.class);
        next.putAll(reasons);
        next.put(lane, reason);
        reasons = next;
    }

    String reason(Lane lane) {
        return reasons.getOrDefault(lane, "");
    }
}
