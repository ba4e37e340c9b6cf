package io.catchment.broker.partition;

/** A stream's end cannot be told now: what it takes is not there, or not seen yet. Trying again may help. */
final class StreamNotReadableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StreamNotReadableException(String message) {
        super(message);
    }
}
