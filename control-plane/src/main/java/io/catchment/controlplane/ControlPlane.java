package io.catchment.controlplane;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * A node's view of the replicated state and its way to change it; the same on a controller and on a node that only
 * observes (DESIGN §4). Thread-safe; nothing here blocks.
 */
public interface ControlPlane extends AutoCloseable {

    /** The newest state this node has replayed. Never null, never blocks; an empty image before the first record. */
    ClusterImage image();

    /**
     * Sends a command to the active controller. The stage completes when the command's records are committed <b>and replayed
     * into this node's {@link #image()}</b>, or fails with a {@link CommandException}. A command whose fate is unknown is
     * retried with the same command id until its deadline, so it takes effect at most once.
     */
    <R> CompletionStage<R> submit(Command<R> command);

    /** The listener is called from one thread with every change in order, first with the present image. It must not block. */
    void subscribe(ImageListener listener);

    /** The listener is not called any more; a call that is under way on another thread may still end. Without effect if it is unknown. */
    void unsubscribe(ImageListener listener);

    /**
     * Heartbeats from now on, as the node that registered {@code leased} in this epoch, until the epoch is over, the next call or
     * the end. A node that registered so and does not heartbeat is fenced after its lease.
     *
     * @param load asked before each heartbeat, on the control plane's thread: it must not block
     */
    void keepAlive(long nodeEpoch, Supplier<NodeLoad> load, LeaseListener listener);

    /**
     * Asks the active controller one of the Raft APIs that its listener answers (DescribeQuorum), wherever it is: a request frame in,
     * the response frame out, both in the form of {@link ControllerEndpoint#handle}. Fails with a {@link CommandException} when it
     * could not be asked.
     */
    CompletionStage<ByteBuffer> askController(ByteBuffer frame);

    /** Completes when this node has replayed everything that was committed when it was called (a barrier record). */
    CompletionStage<Void> barrier();

    @Override
    void close();
}
