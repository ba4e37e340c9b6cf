package io.catchment.broker.node;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ImageListener;
import io.catchment.controlplane.LeaseListener;
import io.catchment.controlplane.NodeLoad;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The node's control plane as the parts of one epoch see it: what they subscribed ends with the epoch. Thread-safe. */
final class EpochControlPlane implements ControlPlane {
    private final ControlPlane node;
    private final List<AtomicReference<@Nullable ImageListener>> subscriptions = new CopyOnWriteArrayList<>();

    EpochControlPlane(ControlPlane node) {
        this.node = node;
    }

    @Override
    public ClusterImage image() {
        return node.image();
    }

    @Override
    public <R> CompletionStage<R> submit(Command<R> command) {
        return node.submit(command);
    }

    @Override
    public void subscribe(ImageListener listener) {
        AtomicReference<@Nullable ImageListener> subscription = new AtomicReference<>(listener);
        subscriptions.add(subscription);
        node.subscribe((delta, image) -> {
            ImageListener present = subscription.get();
            if (present != null) {
                present.changed(delta, image);
            }
        });
    }

    @Override
    public void keepAlive(long nodeEpoch, Supplier<NodeLoad> load, LeaseListener listener) {
        node.keepAlive(nodeEpoch, load, listener);
    }

    @Override
    public CompletionStage<ByteBuffer> askController(ByteBuffer frame) {
        return node.askController(frame);
    }

    @Override
    public CompletionStage<Void> barrier() {
        return node.barrier();
    }

    /** Ends the subscriptions; the node's control plane goes on. */
    @Override
    public void close() {
        subscriptions.forEach(subscription -> subscription.set(null));
    }
}
