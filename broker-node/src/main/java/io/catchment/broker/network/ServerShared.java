package io.catchment.broker.network;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** What all connections of a server share. Thread-safe. */
final class ServerShared {
    final NetworkLimits limits;
    final NetworkObserver observer;
    final NetworkQuotas quotas;
    final RequestMemory requestMemory;
    final UnsentBudget unsent;
    final ServerLog log = new ServerLog();
    final AtomicInteger connections = new AtomicInteger();
    /** Whether someone outside the network waits for memory that unread answers may hold. */
    volatile BooleanSupplier answersWanted = () -> false;

    ServerShared(NetworkLimits limits, NetworkObserver observer, NetworkQuotas quotas) {
        this.limits = limits;
        this.observer = observer;
        this.quotas = quotas;
        this.requestMemory = new RequestMemory(limits.queuedRequestBytesMax());
        this.unsent = new UnsentBudget(limits.unsentResponseBytesMax());
    }
}
