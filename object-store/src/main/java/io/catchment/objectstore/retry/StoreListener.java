package io.catchment.objectstore.retry;

/** Hears of every request to a store, for metrics. Called from many threads; must not block. */
public interface StoreListener {

    enum Operation {
        PUT,
        PUT_IF_ABSENT,
        GET,
        DELETE,
        LIST
    }

    enum Outcome {
        OK,
        NOT_FOUND,
        ALREADY_EXISTS,
        TRANSIENT,
        TIMEOUT,
        REFUSED,
        CORRUPT,
        /** Not sent: the circuit is open, or too many requests are under way. */
        NOT_SENT
    }

    /** One attempt ended. {@code bytes} of body, 0 unless OK; {@code attempt} 1 for the first. */
    void attempted(Operation operation, Outcome outcome, long bytes, long nanos, int attempt);

    /** An attempt that is not the first is sent, with so many bytes of body. */
    default void again(Operation operation, long bytes) {}

    /** The circuit opened (requests are not sent for a while) or closed again. */
    void circuit(boolean open);

    StoreListener NONE = new StoreListener() {
        @Override
        public void attempted(Operation operation, Outcome outcome, long bytes, long nanos, int attempt) {}

        @Override
        public void circuit(boolean open) {}
    };
}
