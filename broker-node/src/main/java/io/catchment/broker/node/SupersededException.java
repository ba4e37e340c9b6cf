package io.catchment.broker.node;

/**
 * Another process has registered with this one's node id, later: one of two must end, else each would fence the other for ever. The newer one
 * goes on, since it is the one that somebody has just started.
 */
final class SupersededException extends Exception {
    private static final long serialVersionUID = 1L;

    SupersededException(String message) {
        super(message);
    }
}
