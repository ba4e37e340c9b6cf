package io.catchment.broker.merge;

import io.catchment.controlplane.StreamRange;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import java.util.concurrent.CompletionException;

/** A published range cannot be read, or not be understood: others need not wait for its stream ({@link RestingStreams}). */
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

    /** The store did not serve the read: whether that is for this range only, it alone does not tell. */
    boolean mayBeTheStores() {
        Throwable cause = getCause();
        if (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause instanceof ObjectStoreException known
                && known.reason() != Reason.NOT_FOUND
                && known.reason() != Reason.CORRUPT;
    }
}
