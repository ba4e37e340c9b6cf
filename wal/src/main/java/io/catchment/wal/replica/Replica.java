package io.catchment.wal.replica;

import io.catchment.wal.StoreRef;
import io.catchment.wal.format.ExtentHeader;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;

/**
 * One store of an ensemble, as writers and recoverers talk to it. Each call is a message; stages complete on any thread, so
 * callers go back to their own loop. A stage fails with {@link java.io.IOException} when the store cannot do it (or cannot
 * be reached), with {@link FencedByRecoveryException} when a later epoch has fenced the extent.
 */
public interface Replica {

    StoreRef store();

    /**
     * Makes an empty extent, durably. Repeating it on an extent without frames is harmless and proves that the disk works
     * again.
     */
    CompletionStage<Void> create(ExtentHeader header);

    /**
     * Writes and syncs a group at the extent's current end. Messages of one extent are handled in order. The group stays
     * untouched by the caller until the stage completes.
     */
    CompletionStage<Appended> append(WriteGroup group);

    /** Tells how far the extent is acknowledged: readers see no further. No answer. */
    void acknowledged(long extentId, long length);

    /** Writes the index footer behind the frames of an extent that its writer has ended; an optimisation, may fail freely. */
    CompletionStage<Void> finish(long extentId, long length);

    /** The control plane has recorded the final length: cuts what lies beyond, for ever. */
    CompletionStage<Void> settle(long extentId, long length);

    /**
     * Refuses the extent's writer from now on (persisted before the answer), and every recovery of a lower epoch; answers
     * the valid durable length, 0 if the extent never came here.
     * Fails with {@link io.catchment.wal.CorruptExtentException} if bytes that were durable are damaged.
     */
    CompletionStage<Long> fence(ExtentHeader header, long recoveryEpoch);

    /** Raw bytes of a fenced or sealed extent, at most {@code bytesMax}, at least one; fails beyond the durable length. */
    CompletionStage<ByteBuffer> fetch(long extentId, long position, int bytesMax);

    /** This store does not hold all of an extent that is sealed elsewhere: what is here goes. A settled copy stays. */
    CompletionStage<Void> discard(long extentId);

    /** Writes and syncs raw bytes at the end of a fenced extent in the name of its recovery; answers the durable length. */
    CompletionStage<Long> copy(ExtentHeader header, long recoveryEpoch, long position, ByteBuffer bytes);

    /** @param durableLength of the extent on this store, in bytes */
    record Appended(long durableLength, long writeNanos, long syncNanos) {}

    /** The extent belongs to a recovery with a higher epoch. */
    final class FencedByRecoveryException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public FencedByRecoveryException(String message) {
            super(message);
        }
    }
}
