package io.catchment.broker.node;

import io.catchment.broker.network.BoundListener;
import io.catchment.broker.network.RequestHandler;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Lets clients in with the first epoch of a node, and leads their requests to the present one. Guarded by its monitor. */
final class ClientAccess {
    private final List<BoundListener> listeners;
    private @Nullable SwitchedHandler handler;

    ClientAccess(List<BoundListener> listeners) {
        this.listeners = List.copyOf(listeners);
    }

    synchronized void serve(RequestHandler next) {
        if (handler != null) {
            handler.set(next);
            return;
        }
        SwitchedHandler first = new SwitchedHandler(next);
        handler = first;
        listeners.forEach(listener -> listener.start(first));
    }
}
