package io.catchment.broker.partition;

import io.catchment.wal.Authority;
import io.catchment.wal.Lane;
import java.util.EnumSet;
import java.util.Set;

/**
 * Whether this node may go on serving its streams (DESIGN §4): not while the quorum of one of its lanes does not answer, since
 * another node may have taken over. Read from any thread, set by the lanes'.
 */
final class ServingRight {
    private final Set<Lane> withoutQuorum = EnumSet.noneOf(Lane.class);
    private volatile boolean held = true;

    boolean held() {
        return held;
    }

    synchronized void set(Lane lane, Authority authority) {
        if (authority == Authority.HELD) {
            withoutQuorum.remove(lane);
        } else {
            withoutQuorum.add(lane);
        }
        held = withoutQuorum.isEmpty();
    }
}
