package io.catchment.wal;

import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One node's write-ahead log: its lanes as a writer and its store as a replica. Thread-safe; nothing here blocks.
 *
 * <p>Reads see acknowledged frames only (P3) and verify each frame's CRC32C before they hand out a byte (W6). A stage
 * fails with {@link java.io.IOException} when the disk does, and with {@link CorruptExtentException} when the bytes are
 * not what was written.
 */
public interface Wal extends AutoCloseable {

    /** The identity of this WAL directory, written into it once (a random UUID in its string form). */
    String storeId();

    /** Queues a frame. See {@link Frame} for who owns the payload: on any answer but ACCEPTED the caller keeps its reference. */
    Admission append(Lane lane, Frame frame, @Nullable Object context);

    /** Whether {@link #append} would be accepted now: asked before offsets are given out. */
    boolean accepting(Lane lane);

    /** Ends the named extent once the frames queued before this call are in it. A no-op when the lane has moved on. */
    void roll(Lane lane, long extentId);

    /** Ids of the extents this store holds, oldest first: open, sealed and flushed ones that are not deleted yet. */
    List<Long> extents();

    /** Valid length in bytes of a local extent; empty if this store does not hold it. For an open one the acknowledged length. */
    OptionalLong length(long extentId);

    /** Stream ids with frames in a local extent. */
    long[] streams(long extentId);

    /** Frames of a stream in a local extent in offset order (acknowledged ones only); empty if there are none. */
    List<FrameEntry> index(long extentId, long streamId);

    /** The newest DATA frame of the stream in this extent that starts at or before the offset. */
    Optional<FrameEntry> floor(long extentId, long streamId, long offset);

    /**
     * Payloads of DATA frames of a stream, from the frame that holds {@code fromOffset} on, at least one frame if there is
     * one, then as many as fit in {@code bytesMax}. The caller releases the buffer. Runs on the WAL's read threads.
     */
    CompletionStage<FrameRead> read(long extentId, long streamId, long fromOffset, int bytesMax);

    /** The payload of one frame, verified. The caller releases the buffer. */
    CompletionStage<ByteBuf> payload(long extentId, FrameEntry entry);

    /** A whole sealed extent in memory, verified, for the flush. The caller closes it. */
    CompletionStage<LoadedExtent> load(long extentId);

    /** Deletes a local extent (W5 is the caller's duty) and keeps its file for reuse. Idempotent. */
    CompletionStage<Void> delete(long extentId);

    /**
     * Local extents of an earlier run whose final length this store does not know yet. Nothing of them is served until
     * {@link #settle} (the control plane has them sealed), {@link #recover} (open there) or {@link #delete} (unknown there).
     * Also those with a final length of which something could not be read since, or was not what was written: frames that are
     * whole are still served, and {@link #settle} tells whether it is damage.
     */
    List<Long> unsettled();

    /**
     * Tells the store an extent's final length as the control plane recorded it: what lies beyond was never acknowledged
     * and is cut for ever. Call it at start for each local extent that is sealed in the control plane. Idempotent; a no-op
     * for an extent without frames. Fails with {@link CorruptExtentException} if this store does not have all of it.
     */
    CompletionStage<Void> settle(long extentId, long sealedLength);

    /**
     * Fences and seals what earlier epochs of this node left open, by DESIGN §5 "Recovery" over the extents' ensembles.
     * Completes when each named extent is either sealed in the control plane or known to wait for a store that does not
     * answer (a lost or wiped WAL directory, an unreadable disk): see {@link RecoveryReport#waiting}. Call it again to try again.
     */
    CompletionStage<RecoveryReport> recover(List<ExtentDescriptor> extents);

    /**
     * Operator override for an extent that waits: seals it at the longest valid length that any store still answers, 0 if
     * none does. Acknowledged frames may be lost by this; the caller records that. Answers the final length.
     */
    CompletionStage<Long> declareLost(ExtentDescriptor extent);

    WalStats stats();

    /** Stops the lanes after what is queued was acknowledged or {@code timeoutMs} passed; open extents are sealed if possible. */
    CompletionStage<Void> shutdown(long timeoutMs);

    @Override
    void close();
}
