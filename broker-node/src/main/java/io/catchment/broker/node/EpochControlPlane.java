package io.catchment.broker.node;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.ImageListener;
import io.catchment.controlplane.LeaseListener;
import io.catchment.controlplane.NodeLoad;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * The node's control plane as the parts of one epoch see it: what they subscribed ends with the epoch. Thread-safe; the list of
 * subscriptions is guarded by its monitor.
 */
final class EpochControlPlane implements ControlPlane {
    private final ControlPlane node;
    private final List<Subscription> subscriptions = new ArrayList<>();
    private volatile boolean closed;

    /** Quiet from the moment the epoch ends, though the node's control plane forgets it a little later. */
    private final class Subscription implements ImageListener {
        private final ImageListener listener;

        Subscription(ImageListener listener) {
            this.listener = listener;
        }

        @Override
        public void changed(ImageDelta delta, ClusterImage image) {
            if (!closed) {
                listener.changed(delta, image);
            }
        }
    }

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
        Subscription subscription = new Subscription(listener);
        synchronized (subscriptions) {
            if (closed) {
                return;
            }
            subscriptions.add(subscription);
        }
        node.subscribe(subscription);
    }

    @Override
    public void unsubscribe(ImageListener listener) {
        List<Subscription> ended;
        synchronized (subscriptions) {
            ended = subscriptions.stream()
                    .filter(subscription -> subscription.listener == listener)
                    .toList();
            subscriptions.removeAll(ended);
        }
        ended.forEach(node::unsubscribe);
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
        List<Subscription> ended;
        synchronized (subscriptions) {
            closed = true;
            ended = List.copyOf(subscriptions);
            subscriptions.clear();
        }
        ended.forEach(node::unsubscribe);
    }
}
