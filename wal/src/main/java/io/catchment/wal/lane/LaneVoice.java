package io.catchment.wal.lane;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Authority;
import io.catchment.wal.Lane;
import io.catchment.wal.WalListener;
import io.catchment.wal.loop.Loop;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a lane says: to its listener, to its queue, to the log. Owned by the lane's loop. */
final class LaneVoice {
    private static final Logger LOG = LoggerFactory.getLogger(LaneVoice.class);

    private final Lane lane;
    private final WalListener listener;
    private final AppendQueue queue;
    private final LaneCounters counters;
    private final Loop loop;
    private boolean suspended;
    private Loop.@Nullable Timer suspending;
    private @Nullable Authority authority;

    LaneVoice(Lane lane, WalListener listener, AppendQueue queue, LaneCounters counters, Loop loop) {
        this.lane = lane;
        this.listener = listener;
        this.queue = queue;
        this.counters = counters;
        this.loop = loop;
    }

    /** A listener that throws is a broken user; the lane's own state must not suffer from it. */
    private void tell(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException broken) {
            LOG.error("The WAL's listener failed on the {} lane", lane, broken);
        }
    }

    void acknowledged(EncodedGroup group) {
        if (group.noop) {
            return;
        }
        List<Acknowledged> acknowledged = group.acknowledgements();
        counters.acknowledged(acknowledged.size(), group.bytes());
        tell(() -> listener.acknowledged(lane, acknowledged));
        queue.acknowledged(group.bytes());
    }

    void synced(EncodedGroup group, long writeNanos, long syncNanos) {
        counters.synced(syncNanos);
        tell(() -> listener.groupSynced(lane, group.frames(), group.bytes(), writeNanos, syncNanos));
    }

    void rollDue(long extentId) {
        tell(() -> listener.rollDue(lane, extentId));
    }

    /** Told when it changes. */
    void authority(Authority now, String reason) {
        if (authority != now && authority != Authority.FENCED) {
            authority = now;
            if (now == Authority.LOST) {
                LOG.warn("The {} lane lost its quorum: {}", lane, reason);
            }
            tell(() -> listener.authority(lane, now, reason));
        }
    }

    /** Whether frames cannot be written now, told or not yet. */
    boolean troubled() {
        return suspended || suspending != null;
    }

    /** Nothing is accepted from now on, or after a while in which the trouble may pass. */
    void suspend(String reason, long afterMs) {
        if (suspended) {
            counters.fault(reason);
        } else if (afterMs == 0) {
            suspendNow(reason);
        } else if (suspending == null) {
            suspending = loop.schedule(afterMs, () -> suspendNow(reason));
        }
    }

    private void suspendNow(String reason) {
        if (suspended) {
            return;
        }
        cancelSuspending();
        suspended = true;
        queue.suspend();
        counters.fault(reason);
        LOG.warn("The {} lane accepts nothing for now: {}", lane, reason);
        tell(() -> listener.laneState(lane, false, reason));
    }

    void resume() {
        cancelSuspending();
        if (suspended) {
            suspended = false;
            queue.resume();
            counters.fault("");
            LOG.info("The {} lane accepts again", lane);
            tell(() -> listener.laneState(lane, true, ""));
        }
    }

    void closedForEver(String reason) {
        LOG.warn("The {} lane is closed for ever: {}", lane, reason);
        cancelSuspending();
        counters.fault(reason);
        tell(() -> listener.laneState(lane, false, reason));
    }

    void cancelSuspending() {
        if (suspending != null) {
            suspending.cancel();
            suspending = null;
        }
    }
}
