package io.catchment.broker.partition;

/** A stream is not this node's any more, or not at all: there is nothing to open. */
final class StreamGoneException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StreamGoneException(long streamId) {
        super("stream " + streamId + " is not this node's any more");
    }
}
