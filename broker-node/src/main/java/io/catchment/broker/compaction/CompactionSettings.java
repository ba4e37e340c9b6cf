package io.catchment.broker.compaction;

/**
 * When streams are compacted, and with how much memory.
 *
 * @param enabled log.cleaner.enable
 * @param dedupeBufferBytes upper bound of the map of keys, which exists only during a pass; it takes 24 bytes for a key, and a pass goes as far as it holds
 * @param loadFactor how full the map may get
 * @param dirtyBytesMin a stream with less to clean than this waits, unless it has {@code dirtyRangesMin} ranges: each pass is an object
 * @param dirtyRangesMin see there
 */
public record CompactionSettings(
        boolean enabled, long dedupeBufferBytes, double loadFactor, long dirtyBytesMin, int dirtyRangesMin) {
    /** Bytes of one key in the map: MD5 and offset. */
    static final int KEY_BYTES = 24;

    public static final CompactionSettings DEFAULT = new CompactionSettings(true, 64L << 20, 0.9, 1 << 20, 64);

    public CompactionSettings {
        if (dedupeBufferBytes < 2 * KEY_BYTES
                || loadFactor <= 0
                || loadFactor > 1
                || dirtyBytesMin < 0
                || dirtyRangesMin < 1) {
            throw new IllegalArgumentException("compaction settings out of range");
        }
    }

    /** Of a map that holds so many keys, at most the bound. */
    int mapBytes(long keys) {
        double wanted = KEY_BYTES * (Math.ceil((double) keys / loadFactor) + 2);
        return (int) Math.min(wanted, (double) Math.min(dedupeBufferBytes, Integer.MAX_VALUE));
    }
}
