package io.catchment.broker.retention;

import io.catchment.broker.partition.PartitionView;
import java.util.concurrent.CompletableFuture;

/** Waits until whoever asks for the beginning of a partition is told an offset or a later one. Thread-safe. */
final class Begun implements PartitionView.AdvanceListener {
    private final long offset;
    private final CompletableFuture<Void> result = new CompletableFuture<>();

    private Begun(long offset) {
        this.offset = offset;
    }

    /** Completes on any thread, also when this node answers for the partition no longer. */
    static CompletableFuture<Void> at(PartitionView partition, long offset) {
        Begun begun = new Begun(offset);
        partition.watch(begun);
        // It may have moved before
        begun.advanced(partition);
        return begun.result;
    }

    @Override
    public void advanced(PartitionView partition) {
        boolean over = partition.logStartOffset() >= offset || !partition.owned();
        if (over && result.complete(null)) {
            partition.unwatch(this);
        }
    }
}
