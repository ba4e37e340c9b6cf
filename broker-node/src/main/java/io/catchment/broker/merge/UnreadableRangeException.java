package io.catchment.broker.merge;

import io.catchment.controlplane.StreamRange;
import io.catchment.objectstore.ObjectKeys;

/** A published range cannot be read, or not be understood: its stream is left alone for a while, so that others need not wait for it. */
public final class UnreadableRangeException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final long streamId;

    public UnreadableRangeException(long streamId, StreamRange range, Throwable cause) {
        super(
                "stream " + streamId + ", offsets " + range.baseOffset() + " to " + range.endOffset() + " in object "
                        + ObjectKeys.key(range.objectId()) + ": " + cause.getMessage(),
                cause);
        this.streamId = streamId;
    }

    long streamId() {
        return streamId;
    }
}
