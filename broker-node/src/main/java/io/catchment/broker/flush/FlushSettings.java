package io.catchment.broker.flush;

import io.catchment.controlplane.Command;

/**
 * Bounds and waits of the flush.
 *
 * @param concurrency extents under way at a time
 * @param memoryBytes of extents in memory at a time; one extent may be larger, then it goes alone
 * @param hotBytes of flushed extents kept on the local disk to be read from there
 * @param diskLowBytes when the disk has less than this, flushed extents are deleted whatever {@code hotBytes} says
 * @param objectTtlMs time limit of a prepared object id; half of it is used for attempts
 * @param backoffMs first wait after a failure, doubled with each further one (jittered)
 * @param backoffMaxMs upper bound of that
 * @param uploadedMax extents uploaded whose turn to be published has not come
 * @param reapGraceMs how long a doomed object is kept for readers under way
 * @param publishEntriesMax ranges and checkpoints that are published with one command; what has more takes several
 */
public record FlushSettings(
        int concurrency,
        long memoryBytes,
        long hotBytes,
        long diskLowBytes,
        long objectTtlMs,
        long backoffMs,
        long backoffMaxMs,
        int uploadedMax,
        long reapGraceMs,
        int publishEntriesMax) {

    public static final FlushSettings DEFAULT =
            new FlushSettings(2, 256L << 20, 1L << 30, 2L << 30, 3_600_000, 500, 15_000, 16, 60_000, 25_000);

    public FlushSettings {
        if (concurrency < 1
                || memoryBytes < 1
                || hotBytes < 0
                || diskLowBytes < 0
                || objectTtlMs < 1
                || backoffMs < 1
                || backoffMaxMs < backoffMs
                || uploadedMax < 1
                || reapGraceMs < 0
                || publishEntriesMax < 1
                || publishEntriesMax > Command.PublishFlush.ENTRIES_MAX) {
            throw new IllegalArgumentException("flush settings out of range");
        }
    }

    public FlushSettings withConcurrency(int extents) {
        return new FlushSettings(
                extents,
                memoryBytes,
                hotBytes,
                diskLowBytes,
                objectTtlMs,
                backoffMs,
                backoffMaxMs,
                uploadedMax,
                reapGraceMs,
                publishEntriesMax);
    }

    public FlushSettings withHotBytes(long bytes) {
        return new FlushSettings(
                concurrency,
                memoryBytes,
                bytes,
                diskLowBytes,
                objectTtlMs,
                backoffMs,
                backoffMaxMs,
                uploadedMax,
                reapGraceMs,
                publishEntriesMax);
    }

    public FlushSettings withObjectLife(long ttlMs, long graceMs) {
        return new FlushSettings(
                concurrency,
                memoryBytes,
                hotBytes,
                diskLowBytes,
                ttlMs,
                backoffMs,
                backoffMaxMs,
                uploadedMax,
                graceMs,
                publishEntriesMax);
    }

    public FlushSettings withDiskLowBytes(long bytes) {
        return new FlushSettings(
                concurrency,
                memoryBytes,
                hotBytes,
                bytes,
                objectTtlMs,
                backoffMs,
                backoffMaxMs,
                uploadedMax,
                reapGraceMs,
                publishEntriesMax);
    }
}
