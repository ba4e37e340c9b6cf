package io.catchment.broker.read;

/** An acknowledged offset lies neither in a local extent nor in a published range (O2 is broken, or this node lacks the extent). */
public final class OffsetGapException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    OffsetGapException(String message) {
        super(message);
    }
}
