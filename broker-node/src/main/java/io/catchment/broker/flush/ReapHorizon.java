package io.catchment.broker.flush;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * How far the snapshots of the state have come that a recovery may use: what was doomed later than this is still published in one of
 * them, or was uploaded and may be found by it, and must not be deleted.
 */
@FunctionalInterface
public interface ReapHorizon {
    long NOTHING = -1;

    /** The control log's offset as of which the oldest of them was made; {@link #NOTHING} while none may be deleted. Never goes back. */
    CompletionStage<Long> offset();

    /** Where nobody recovers. */
    ReapHorizon ALL = () -> CompletableFuture.completedStage(Long.MAX_VALUE);
}
