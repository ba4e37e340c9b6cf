package io.catchment.broker.coordinatorlog;

import io.catchment.broker.read.BatchRun;

/** Takes in a log, in offset order. Owned by one {@link StateLoad}. */
public interface Replay {
    long nextOffset();

    /** The payload stays the caller's. Throws for a corrupt batch and for a record that does not fit the state. */
    void replay(BatchRun run);

    /** Everything below the offset, which is acknowledged, is in the state. */
    void finish(long endOffset);

    long records();

    long bytes();
}
