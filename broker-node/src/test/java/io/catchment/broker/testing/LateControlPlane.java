package io.catchment.broker.testing;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ImageListener;
import io.catchment.controlplane.LeaseListener;
import io.catchment.controlplane.NodeLoad;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** A node that is late: what others do it sees only behind a barrier, and when a command of its own is answered. */
public final class LateControlPlane implements ControlPlane {
    private final ControlPlane newest;
    private volatile ClusterImage seen;

    public LateControlPlane(ControlPlane newest) {
        this.newest = newest;
        this.seen = newest.image();
    }

    private void look() {
        seen = newest.image();
    }

    @Override
    public ClusterImage image() {
        return seen;
    }

    @Override
    public <R> CompletionStage<R> submit(Command<R> command) {
        return newest.submit(command).whenComplete((answer, failure) -> look());
    }

    @Override
    public CompletionStage<Void> barrier() {
        return newest.barrier().thenRun(this::look);
    }

    @Override
    public void subscribe(ImageListener listener) {
        newest.subscribe(listener);
    }

    @Override
    public void unsubscribe(ImageListener listener) {
        newest.unsubscribe(listener);
    }

    @Override
    public void keepAlive(long nodeEpoch, Supplier<NodeLoad> load, LeaseListener listener) {
        newest.keepAlive(nodeEpoch, load, listener);
    }

    @Override
    public CompletionStage<ByteBuffer> askController(ByteBuffer frame) {
        return newest.askController(frame);
    }

    @Override
    public void close() {
        newest.close();
    }
}
