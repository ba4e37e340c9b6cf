package io.catchment.broker.flush;

import io.catchment.wal.Lane;

/** Hears what the flush does. Called on the flush thread; must not block. */
public interface FlushMetrics {

    enum Stage {
        PREPARE,
        LOAD,
        UPLOAD,
        PUBLISH,
        DELETE,
        REAP
    }

    /** An extent was published. {@code nanos} from the start of its last attempt; {@code objectBytes} 0 if it needed no object. */
    void published(Lane lane, long objectBytes, long nanos);

    /** A step failed and will be tried again. */
    void failed(Stage stage);

    /** Flushed extents were deleted from the local disk. */
    void deleted(int extents, long bytes);

    /** Doomed objects were deleted from the store. */
    void reaped(int objects);

    FlushMetrics NONE = new FlushMetrics() {
        @Override
        public void published(Lane lane, long objectBytes, long nanos) {}

        @Override
        public void failed(Stage stage) {}

        @Override
        public void deleted(int extents, long bytes) {}

        @Override
        public void reaped(int objects) {}
    };
}
