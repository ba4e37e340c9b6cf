package io.catchment.broker.compaction;

/** Hears what is compacted. Called on the loop of the rewrites; must not block. */
public interface CompactionMetrics {
    /** After a look over all streams: how dirty the dirtiest one is that may be cleaned, 0 to 1. */
    void dirtiest(double ratio);

    /** One step has read so many bytes of ranges. */
    void read(long bytes);

    /**
     * One object took the place of ranges.
     *
     * @param ranges that it replaced
     * @param bytes of the object
     * @param records that are gone
     */
    void written(int ranges, long bytes, long records);

    /** One pass over a stream came to its end. */
    void passed();

    void failed();

    CompactionMetrics NONE = new CompactionMetrics() {
        @Override
        public void dirtiest(double ratio) {}

        @Override
        public void read(long bytes) {}

        @Override
        public void written(int ranges, long bytes, long records) {}

        @Override
        public void passed() {}

        @Override
        public void failed() {}
    };
}
