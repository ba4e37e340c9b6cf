package io.catchment.broker.manifest;

/** Hears what moves to and out of manifests. Called on the keeper's thread; must not block. */
public interface ManifestMetrics {
    /**
     * Ranges of a stream moved.
     *
     * @param manifestBytes of the object that lists them
     */
    void moved(int ranges, long manifestBytes);

    /** Ranges that nobody needs any more were named, and their objects doomed. */
    void released(int ranges);

    void failed();

    ManifestMetrics NONE = new ManifestMetrics() {
        @Override
        public void moved(int ranges, long manifestBytes) {}

        @Override
        public void released(int ranges) {}

        @Override
        public void failed() {}
    };
}
