package io.catchment.controlplane.lead;

import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.state.ClusterState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who has been heard of, and who not for a lease: soft state of the active controller, on its monotonic clock. Owned by the control
 * thread.
 *
 * <p>Silence counts only while this controller could listen. It begins anew for every node when leadership begins, and after a pause of
 * this process (GC, SIGSTOP: the clock jumped between two looks), since what the nodes sent meanwhile is still unread: so neither
 * fences half the cluster.
 *
 * <p>A killed process is known sooner: when all others that are heard of cannot connect to a node that is silent, {@code suspectMs} of
 * silence are enough. A controller that has just begun to lead counts what the others went through before: when every other node says that
 * it was refused for that long already, half of it is enough to hear from one that lives. Fencing too early costs a takeover and nothing else:
 * authority comes from the WAL quorum (W4, P4).
 */
public final class Liveness {
    private static final Logger LOG = LoggerFactory.getLogger(Liveness.class);

    private final long leaseMs;
    private final long suspectMs;
    private final long pauseMs;
    private final Map<Integer, Heard> heard = new HashMap<>();
    private long lookedMs;

    /**
     * @param suspectMs enough silence of a node that nobody can connect to
     * @param pauseMs longer than this between two looks is a pause
     */
    public Liveness(long leaseMs, long suspectMs, long pauseMs) {
        this.leaseMs = leaseMs;
        this.suspectMs = suspectMs;
        this.pauseMs = pauseMs;
    }

    /** @param spoke false: only its lease began */
    private record Heard(long epoch, long atMs, NodeLoad load, boolean spoke) {}

    /** Leadership begins: every node has one fresh lease. */
    public void begin(long nowMs) {
        heard.clear();
        lookedMs = nowMs;
    }

    public void heard(int nodeId, long nodeEpoch, NodeLoad load, long nowMs) {
        heard.put(nodeId, new Heard(nodeEpoch, nowMs, load, true));
    }

    /** The figures of each node's last heartbeat in its present epoch: one that stopped asked to be rid of its streams, started again it does not. */
    public Map<Integer, NodeLoad> figures(ClusterState state) {
        Map<Integer, NodeLoad> figures = new HashMap<>();
        heard.forEach((id, last) -> {
            @Nullable NodeState node = state.nodes().get(id);
            if (node != null && node.epoch() == last.epoch()) {
                figures.put(id, last.load());
            }
        });
        return figures;
    }

    /**
     * To be asked several times a lease.
     *
     * @param state with everything appended, so that nobody is named twice
     */
    public Look look(ClusterState state, long nowMs) {
        long sinceLastMs = nowMs - lookedMs;
        lookedMs = nowMs;
        heard.keySet().removeIf(node -> !state.nodes().containsKey(node));
        boolean paused = sinceLastMs > pauseMs;
        if (paused) {
            LOG.warn("this controller did not run for {} ms: every node gets a fresh lease", sinceLastMs);
            heard.replaceAll((node, last) -> new Heard(last.epoch(), nowMs, last.load(), last.spoke()));
        }
        List<NodeState> silent = new ArrayList<>();
        for (NodeState node : state.nodes().values()) {
            if (node.isLive() && node.leased() && isOver(node, state, nowMs)) {
                silent.add(node);
            }
        }
        silent.sort(Comparator.comparingInt(NodeState::nodeId));
        return new Look(paused, silent);
    }

    /**
     * @param paused this process did not run for a while
     * @param silent nodes to be fenced
     */
    public record Look(boolean paused, List<NodeState> silent) {}

    private boolean isOver(NodeState node, ClusterState state, long nowMs) {
        @Nullable Heard last = heard.get(node.nodeId());
        if (last == null || last.epoch() != node.epoch()) {
            // Its lease begins when this controller first sees its epoch
            heard.put(node.nodeId(), new Heard(node.epoch(), nowMs, NodeLoad.IDLE, false));
            return false;
        }
        long silentMs = nowMs - last.atMs();
        if (silentMs >= leaseMs) {
            LOG.warn("node {} epoch {} is fenced: not heard of for {} ms", node.nodeId(), node.epoch(), silentMs);
            return true;
        }
        if (isRefused(node, last, silentMs, state, nowMs)) {
            LOG.warn(
                    "node {} epoch {} is fenced: not heard of for {} ms, and no other node can connect to it",
                    node.nodeId(),
                    node.epoch(),
                    silentMs);
            return true;
        }
        return false;
    }

    private boolean isRefused(NodeState suspect, Heard last, long silentMs, ClusterState state, long nowMs) {
        if (silentMs < suspectMs / 2) {
            return false;
        }
        int witnesses = 0;
        boolean allSpeak = true;
        boolean allForLong = true;
        for (NodeState other : state.nodes().values()) {
            if (other.nodeId() == suspect.nodeId() || !other.isLive() || !other.leased()) {
                continue;
            }
            @Nullable Heard word = heard.get(other.nodeId());
            if (word == null || !word.spoke() || word.epoch() != other.epoch() || nowMs - word.atMs() >= suspectMs) {
                allSpeak = false;
                continue;
            }
            @Nullable Long refusedMs = word.load().unreachableMs().get(suspect.nodeId());
            if (refusedMs == null) {
                return false;
            }
            allForLong &= refusedMs >= suspectMs;
            witnesses++;
        }
        boolean silentForLong = silentMs >= suspectMs || (!last.spoke() && allSpeak && allForLong);
        return witnesses > 0 && silentForLong;
    }
}
