package io.catchment.broker.partition;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * A batch between its append and its acknowledgement; the WAL carries it as the frame's context. Owned by the partition's
 * event loop.
 */
final class PendingAppend {
    final Partition partition;
    final long baseOffset;
    final long endOffset;
    final long logAppendTimeMs;
    /** One reference, for the tail cache; given up if the partition ends before the acknowledgement. */
    final ByteBuf payload;

    final int slot;
    /** Null when nobody waits (acks=0, internal appends) or when the wait was ended by a fault. */
    @Nullable
    AppendCompletion completion;

    PendingAppend(
            Partition partition,
            long baseOffset,
            long endOffset,
            long logAppendTimeMs,
            ByteBuf payload,
            @Nullable AppendCompletion completion,
            int slot) {
        this.partition = partition;
        this.baseOffset = baseOffset;
        this.endOffset = endOffset;
        this.logAppendTimeMs = logAppendTimeMs;
        this.payload = payload;
        this.completion = completion;
        this.slot = slot;
    }
}
