package io.catchment.broker.near;

/** Hears what fetching from the nearest does. Thread-safe. */
public interface NearMetrics {
    NearMetrics NONE = new NearMetrics() {
        @Override
        public void redirected() {}

        @Override
        public void answered(int bytes) {}

        @Override
        public void following(int streams) {}
    };

    /** A reader of a stream of this node was sent to a node in its zone. */
    void redirected();

    /** Records of other nodes' streams were answered. */
    void answered(int bytes);

    /** So many streams of other nodes are followed now. */
    void following(int streams);
}
