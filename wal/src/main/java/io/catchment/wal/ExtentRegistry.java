package io.catchment.wal;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What the WAL needs from the control plane; broker-node implements it with commands. Every call is guarded by the node's
 * epoch and is idempotent, so the WAL retries a stage that failed (with backoff) until it answers. A stage that fails with
 * {@link FencedException} is final: this node's epoch is over.
 */
public interface ExtentRegistry {

    CompletionStage<ExtentDescriptor> create(Lane lane);

    /**
     * The same, on other stores than these if there are enough others: this node finds them slow, full or out of reach,
     * maybe before the control plane knows.
     */
    default CompletionStage<ExtentDescriptor> create(Lane lane, Set<StoreRef> avoid) {
        return create(lane);
    }

    /**
     * Stores that may take the place of lost ones when a recovered extent has too few holders (DESIGN §5): of live nodes,
     * not in the extent's ensemble, best first.
     */
    default CompletionStage<List<StoreRef>> standIns(ExtentDescriptor extent) {
        return CompletableFuture.completedStage(List.of());
    }

    /** Records the final length and who holds all of it. Sealing again with the same length is a no-op (W2). */
    CompletionStage<Void> seal(long extentId, long length, List<StoreRef> holders);

    /** Marks an extent of a dead writer as recovering and answers the recovery epoch to fence with. */
    CompletionStage<Long> startRecovery(long extentId);

    /** This node's epoch has been superseded. */
    final class FencedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public FencedException(String message) {
            super(message);
        }
    }
}
