package io.catchment.objectstore.cache;

/**
 * Bounds of the read side.
 *
 * @param cacheBytes weight of the blocks kept
 * @param extraBytes what may be loading, or held by readers though evicted, beyond {@code cacheBytes}: further loads wait.
 *     As much again, one load at a time, when reads of several blocks wait for each other
 * @param footerBytes weight of the footers kept, and as much again of manifests
 * @param loadsMax store requests for blocks at a time
 * @param queueMax loads waiting for a turn; beyond it a read fails with TRANSIENT
 * @param waitMs how long a load waits for its turn before the read fails with TRANSIENT
 * @param readAheadBlocksMax how far a sequential reader is read ahead, in blocks of 1 MiB; 0 switches it off
 * @param readBytesMax upper bound of what one read answers, unless one index step is longer
 */
public record ReaderSettings(
        long cacheBytes,
        long extraBytes,
        long footerBytes,
        int loadsMax,
        int queueMax,
        long waitMs,
        int readAheadBlocksMax,
        int readBytesMax) {

    public ReaderSettings {
        if (cacheBytes < 0
                || extraBytes < 1
                || footerBytes < 0
                || loadsMax < 1
                || queueMax < 1
                || waitMs < 1
                || readAheadBlocksMax < 0
                || readBytesMax < 1) {
            throw new IllegalArgumentException("read settings out of range");
        }
    }

    /**
     * Good defaults around the one figure that depends on the machine. A quarter of it is room for what comes: a cache that is full would leave too little to read
     * ahead, and readers that catch up would come for one block after the other.
     */
    public static ReaderSettings ofCacheBytes(long cacheBytes) {
        return new ReaderSettings(
                cacheBytes - cacheBytes / 4,
                cacheBytes / 4 + Math.max(32L << 20, cacheBytes / 4),
                Math.max(4L << 20, cacheBytes / 16),
                16,
                1024,
                5000,
                8,
                16 << 20);
    }
}
