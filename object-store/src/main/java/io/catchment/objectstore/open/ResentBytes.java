package io.catchment.objectstore.open;

import io.catchment.objectstore.retry.StoreListener;
import io.catchment.objectstore.transfer.Direction;
import io.catchment.objectstore.transfer.TransferScheduler;

/** Passes everything on, and has what is sent again counted against the bandwidth. */
record ResentBytes(StoreListener listener, TransferScheduler scheduler) implements StoreListener {

    @Override
    public void attempted(Operation operation, Outcome outcome, int requests, long bytes, long nanos, int attempt) {
        listener.attempted(operation, outcome, requests, bytes, nanos, attempt);
    }

    @Override
    public void paced(long distanceMs) {
        listener.paced(distanceMs);
    }

    @Override
    public void again(Operation operation, long bytes) {
        listener.again(operation, bytes);
        boolean up = operation == Operation.PUT || operation == Operation.PUT_IF_ABSENT;
        scheduler.charge(up ? Direction.UP : Direction.DOWN, bytes);
    }

    @Override
    public void circuit(boolean open) {
        listener.circuit(open);
    }
}
