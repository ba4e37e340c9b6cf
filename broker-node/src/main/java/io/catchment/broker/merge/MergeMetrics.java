package io.catchment.broker.merge;

/** Hears what is merged. Called on the merge thread; must not block. */
public interface MergeMetrics {
    /**
     * One object took the place of parts of others.
     *
     * @param streams in it
     * @param ranges that it replaced
     * @param bytes of the object
     */
    void merged(int streams, int ranges, long bytes);

    void failed();

    MergeMetrics NONE = new MergeMetrics() {
        @Override
        public void merged(int streams, int ranges, long bytes) {}

        @Override
        public void failed() {}
    };
}
