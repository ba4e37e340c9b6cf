package io.catchment.objectstore;

import org.jspecify.annotations.Nullable;

/** Why an object request failed. */
public final class ObjectStoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public enum Reason {
        NOT_FOUND,
        ALREADY_EXISTS,
        /** Timeout, throttling, 5xx, connection or disk trouble: the same request may succeed later. */
        TRANSIENT,
        /** Credentials, permissions, no such bucket, a malformed request: a person must look, though it may heal. */
        REFUSED,
        /** The bytes are not what was written (O4). */
        CORRUPT
    }

    private final Reason reason;

    public ObjectStoreException(Reason reason, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    public boolean retriable() {
        return reason == Reason.TRANSIENT;
    }
}
