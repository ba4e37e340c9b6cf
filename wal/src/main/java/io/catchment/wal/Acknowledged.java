package io.catchment.wal;

import org.jspecify.annotations.Nullable;

/**
 * A frame that is quorum-durable. The payload is still referenced while the callback runs; retain it to keep it.
 *
 * @param context what the caller gave to {@link Wal#append}
 */
public record Acknowledged(
        Frame frame, long extentId, long position, @Nullable Object context) {

    /** Of the payload's first byte in the extent: what a {@link FrameEntry} of this frame has. */
    public long payloadPosition() {
        return position + Frame.HEADER_BYTES;
    }
}
