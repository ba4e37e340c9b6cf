package io.catchment.objectstore.transfer;

/** Hears of every transfer, for metrics. Called from many threads; must not block. */
public interface TransferListener {

    /** It has waited for so long. */
    void started(TransferClass of, Direction direction, long waitedNanos);

    /** @param bytes of body, 0 unless it succeeded */
    void ended(TransferClass of, Direction direction, long bytes, boolean ok);

    /** The queue of its class was full. */
    void refused(TransferClass of, Direction direction);

    TransferListener NONE = new TransferListener() {
        @Override
        public void started(TransferClass of, Direction direction, long waitedNanos) {}

        @Override
        public void ended(TransferClass of, Direction direction, long bytes, boolean ok) {}

        @Override
        public void refused(TransferClass of, Direction direction) {}
    };
}
