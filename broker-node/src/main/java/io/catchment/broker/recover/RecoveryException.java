package io.catchment.broker.recover;

/** A recovery cannot be, or not now; the message says why and what to do. Nothing was changed that running it again would mind. */
public final class RecoveryException extends Exception {
    private static final long serialVersionUID = 1;

    RecoveryException(String message) {
        super(message);
    }

    RecoveryException(String message, Throwable cause) {
        super(message, cause);
    }
}
