package io.catchment.broker.node;

/** The node's epoch ended while it was being begun: the next one is to begin. */
final class EpochOverException extends Exception {
    private static final long serialVersionUID = 1L;

    EpochOverException(String message) {
        super(message);
    }
}
