package io.catchment.objectstore;

import org.jspecify.annotations.Nullable;

/** Why an object request failed. */
public final class ObjectStoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public enum Reason {
        NOT_FOUND,
        ALREADY_EXISTS,
        /** Timeout, 5xx, connection or disk trouble: the same request may succeed later. */
        TRANSIENT,
        /** The store wants fewer requests: the same one may succeed later. */
        THROTTLED,
        /** Credentials that expired, are unknown or cannot be had at the moment: they are looked up anew, and the request may succeed later. */
        CREDENTIALS,
        /** Permissions, no such bucket, a malformed request: a person must look, though it may heal. */
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
        return reason == Reason.TRANSIENT || reason == Reason.THROTTLED || reason == Reason.CREDENTIALS;
    }
}
