package io.catchment.controlplane.lead;

import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.state.ClusterState;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Nodes that have to stay up for a while before streams are moved to them: each of their last lives was short. Else a process that ends again and
 * again soon after its start would be given its streams each time, and they would pause each time. The first short life costs nothing, each
 * further one twice the wait of the one before; a life that outlasts its wait by {@link #STEADY_MS} begins the count anew, and so does an end
 * that was asked for (a drain). Soft state of the active controller on its monotonic clock, gone with its leadership. Owned by the control thread.
 */
final class Probation {
    static final long FIRST_MS = 2_000;
    static final long LAST_MS = 120_000;
    static final long STEADY_MS = 15_000;

    /** @param sinceMs when this controller first saw the epoch; of one that it found when it began to lead, long ago */
    private record Life(long epoch, long sinceMs, int shortLives, boolean over) {
        long waitMs() {
            return shortLives == 0 ? 0 : Math.min(FIRST_MS << Math.min(shortLives - 1, 16), LAST_MS);
        }

        Life ended(boolean askedFor, long nowMs) {
            boolean steady = askedFor || nowMs - sinceMs >= waitMs() + STEADY_MS;
            return new Life(epoch, sinceMs, steady ? 0 : shortLives + 1, true);
        }

        boolean isWaiting(long nowMs) {
            return !over && nowMs - sinceMs < waitMs();
        }
    }

    private final Map<Integer, Life> lives = new HashMap<>();

    /** Leadership begins: nobody is known to have ended early. */
    void begin(ClusterState state, long nowMs) {
        lives.clear();
        for (NodeState node : state.nodes().values()) {
            lives.put(node.nodeId(), new Life(node.epoch(), nowMs - STEADY_MS, 0, node.fenced()));
        }
    }

    /** The nodes that wait now; to be asked at each look, since it is from these that ends are known. */
    Set<Integer> waiting(ClusterState state, long nowMs) {
        lives.keySet().retainAll(state.nodes().keySet());
        Set<Integer> waiting = new HashSet<>();
        for (NodeState node : state.nodes().values()) {
            Life life = seen(node, nowMs);
            lives.put(node.nodeId(), life);
            if (life.isWaiting(nowMs)) {
                waiting.add(node.nodeId());
            }
        }
        return waiting;
    }

    private Life seen(NodeState node, long nowMs) {
        @Nullable Life life = lives.get(node.nodeId());
        if (life == null) {
            life = new Life(node.epoch(), nowMs, 0, false);
        } else if (life.epoch() != node.epoch()) {
            Life before = life.over() ? life : life.ended(false, nowMs);
            life = new Life(node.epoch(), nowMs, before.shortLives(), false);
        }
        return node.fenced() && !life.over() ? life.ended(node.draining(), nowMs) : life;
    }
}
