package io.catchment.wal.node;

import io.catchment.wal.lane.LaneConfig;
import io.catchment.wal.lane.QuorumConfig;
import io.catchment.wal.store.StoreConfig;
import io.netty.util.internal.PlatformDependent;
import java.nio.file.Path;

/**
 * One node's WAL. All sizes in bytes, all times in milliseconds.
 *
 * @param dir of this store; created if missing, locked while open
 * @param extentBytes an extent this long rolls; files are preallocated a little larger
 * @param rollMs an extent whose first frame is this old rolls
 * @param rollTimeoutMs how long the user has for its checkpoints between {@code rollDue} and {@code roll}
 * @param queueBytesMax of each lane: accepted and not yet acknowledged
 * @param recycledFilesMax preallocated files kept for the next extents
 * @param reserveBytes of the disk that only the urgent lane may take
 * @param indexBytesMax memory for the indexes of sealed extents
 * @param readThreads for {@code read} and {@code payload}; {@code load} has one of its own
 * @param quorum how lanes live with several replicas
 */
public record WalConfig(
        Path dir,
        long extentBytes,
        long rollMs,
        long rollTimeoutMs,
        long queueBytesMax,
        int recycledFilesMax,
        long reserveBytes,
        long indexBytesMax,
        int readThreads,
        QuorumConfig quorum) {
    private static final int GROUP_BYTES_MAX = 4 << 20;
    /** An extent is loaded whole to be flushed: it must not outgrow what there is for that. */
    private static final long GROWTH_BYTES_MAX = Math.min(1 << 30, PlatformDependent.maxDirectMemory() / 2);

    private static final long RETRY_FIRST_MS = 50;
    private static final long RETRY_LAST_MS = 2_000;

    public WalConfig {
        if (readThreads < 1 || readThreads > 64) {
            throw new IllegalArgumentException("read threads must be 1 to 64, not " + readThreads);
        }
        laneConfig(extentBytes, rollMs, rollTimeoutMs, queueBytesMax, quorum);
        storeConfig(extentBytes, recycledFilesMax, reserveBytes, indexBytesMax);
    }

    public static WalConfig defaults(Path dir) {
        return new WalConfig(
                dir, 64 << 20, 30_000, 2_000, 64 << 20, 4, 256 << 20, 256 << 20, 2, QuorumConfig.defaults());
    }

    public WalConfig withExtentBytes(long bytes) {
        return new WalConfig(
                dir,
                bytes,
                rollMs,
                rollTimeoutMs,
                queueBytesMax,
                recycledFilesMax,
                reserveBytes,
                indexBytesMax,
                readThreads,
                quorum);
    }

    public WalConfig withRoll(long everyMs, long timeoutMs) {
        return new WalConfig(
                dir,
                extentBytes,
                everyMs,
                timeoutMs,
                queueBytesMax,
                recycledFilesMax,
                reserveBytes,
                indexBytesMax,
                readThreads,
                quorum);
    }

    public WalConfig withQueueBytesMax(long bytes) {
        return new WalConfig(
                dir,
                extentBytes,
                rollMs,
                rollTimeoutMs,
                bytes,
                recycledFilesMax,
                reserveBytes,
                indexBytesMax,
                readThreads,
                quorum);
    }

    public WalConfig withReserveBytes(long bytes) {
        return new WalConfig(
                dir,
                extentBytes,
                rollMs,
                rollTimeoutMs,
                queueBytesMax,
                recycledFilesMax,
                bytes,
                indexBytesMax,
                readThreads,
                quorum);
    }

    public WalConfig withIndexBytesMax(long bytes) {
        return new WalConfig(
                dir,
                extentBytes,
                rollMs,
                rollTimeoutMs,
                queueBytesMax,
                recycledFilesMax,
                reserveBytes,
                bytes,
                readThreads,
                quorum);
    }

    public WalConfig withQuorum(QuorumConfig newQuorum) {
        return new WalConfig(
                dir,
                extentBytes,
                rollMs,
                rollTimeoutMs,
                queueBytesMax,
                recycledFilesMax,
                reserveBytes,
                indexBytesMax,
                readThreads,
                newQuorum);
    }

    LaneConfig laneConfig() {
        return laneConfig(extentBytes, rollMs, rollTimeoutMs, queueBytesMax, quorum);
    }

    private static LaneConfig laneConfig(
            long extentBytes, long rollMs, long rollTimeoutMs, long queueBytesMax, QuorumConfig quorum) {
        long slackBytes = extentBytes / 8;
        return new LaneConfig(
                extentBytes,
                slackBytes,
                Math.max(GROWTH_BYTES_MAX, extentBytes + slackBytes),
                rollMs,
                rollTimeoutMs,
                queueBytesMax,
                GROUP_BYTES_MAX,
                RETRY_FIRST_MS,
                RETRY_LAST_MS,
                quorum);
    }

    StoreConfig storeConfig() {
        return storeConfig(extentBytes, recycledFilesMax, reserveBytes, indexBytesMax);
    }

    private static StoreConfig storeConfig(
            long extentBytes, int recycledFilesMax, long reserveBytes, long indexBytesMax) {
        return new StoreConfig(extentBytes + extentBytes / 8, recycledFilesMax, reserveBytes, indexBytesMax);
    }
}
