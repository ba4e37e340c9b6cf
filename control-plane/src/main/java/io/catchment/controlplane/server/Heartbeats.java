package io.catchment.controlplane.server;

import io.catchment.controlplane.LeaseListener;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.proto.Answer;
import io.catchment.controlplane.proto.CommandResponse;
import io.catchment.controlplane.proto.CommandResponse.Status;
import io.catchment.controlplane.proto.Heartbeat;
import io.catchment.controlplane.rpc.HeartbeatCodec;
import io.catchment.controlplane.state.ClusterState;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * This node's heartbeats to the active controller, whoever that is. Owned by the control loop. A heartbeat that is lost is not repeated:
 * the next one is as good. Where the answer, or the node's own image, says that the epoch is over, it stops and tells the node.
 */
final class Heartbeats {
    /**
     * Beyond so many without an answer more would only pile up. Far more than are sent until a stalled connection is given up: one that is
     * slow, whose answers wait for that of a command, is heard at the other end.
     */
    private static final int UNANSWERED_MAX = 100;

    private final ControlLoop loop;
    private final int nodeId;
    private final long everyMs;
    private final Way way;
    private @Nullable Life life;
    private int unanswered;
    private long generation;

    Heartbeats(ControlLoop loop, int nodeId, long everyMs, Way way) {
        this.loop = loop;
        this.nodeId = nodeId;
        this.everyMs = everyMs;
        this.way = way;
    }

    /** The way to the active controller; answers on the loop, at most once. */
    interface Way {
        void send(Heartbeat heartbeat, Consumer<CommandResponse> answer);
    }

    /** One call of {@link #start}; another with the same values is another. */
    private static final class Life {
        private final long epoch;
        private final Supplier<NodeLoad> load;
        private final LeaseListener listener;

        Life(long epoch, Supplier<NodeLoad> load, LeaseListener listener) {
            this.epoch = epoch;
            this.load = load;
            this.listener = listener;
        }
    }

    void start(long epoch, Supplier<NodeLoad> load, LeaseListener listener) {
        Life begun = new Life(epoch, load, listener);
        life = begun;
        beat(begun);
    }

    void close() {
        life = null;
    }

    /** Somebody else listens now: it has heard nothing yet. */
    void leadershipChanged() {
        unanswered = 0;
        generation++;
        Life present = life;
        if (present != null) {
            send(present);
        }
    }

    void imageAt(ClusterState state) {
        Life present = life;
        NodeState node = state.nodes().get(nodeId);
        // Before the registration is replayed here, the image says nothing about this epoch
        if (present != null && node != null && (node.epoch() > present.epoch || isFenced(node, present))) {
            over(present);
        }
    }

    private static boolean isFenced(NodeState node, Life present) {
        return node.epoch() == present.epoch && node.fenced();
    }

    private void beat(Life of) {
        if (life == of) {
            send(of);
            loop.schedule(() -> beat(of), everyMs);
        }
    }

    private void send(Life of) {
        if (unanswered >= UNANSWERED_MAX) {
            return;
        }
        unanswered++;
        long sentIn = generation;
        way.send(HeartbeatCodec.write(nodeId, of.epoch, of.load.get()), response -> answered(of, sentIn, response));
    }

    private void answered(Life of, long sentIn, CommandResponse response) {
        if (sentIn == generation) {
            unanswered--;
        }
        if (life != of || response.getStatus() != Status.DONE) {
            return;
        }
        Answer.Standing standing = response.getAnswer().getStanding();
        if (standing.getEpoch() != of.epoch || standing.getFenced()) {
            over(of);
        }
    }

    private void over(Life of) {
        life = null;
        of.listener.epochOver(of.epoch);
    }
}
