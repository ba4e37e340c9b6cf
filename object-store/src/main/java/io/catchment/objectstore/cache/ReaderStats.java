package io.catchment.objectstore.cache;

/**
 * Since the reader was opened, but for {@code liveBytes} and {@code queuedLoads}, which are of now.
 *
 * @param hits blocks a read found in the cache
 * @param misses blocks a read had to wait for
 * @param loadedBytes block bytes read from the store and verified
 * @param readAheadBytes of these, what no read had asked for yet
 * @param corruptBlocks blocks and footers whose checksum failed, each attempt counted
 * @param liveBytes memory of blocks: cached, loading, or held by readers
 */
public record ReaderStats(
        long hits,
        long misses,
        long evictions,
        long loadedBytes,
        long readAheadBytes,
        long corruptBlocks,
        long liveBytes,
        int queuedLoads) {}
