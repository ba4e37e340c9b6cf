package io.catchment.wal.store;

import io.catchment.wal.Lane;
import io.catchment.wal.disk.DiskFile;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One extent of a store. Its bytes and its state change only under {@link #lock}, which is held during the disk work;
 * readers look at the volatile fields without it. Kept alive by references: a reader under way keeps the file from being
 * recycled.
 */
final class StoredExtent {
    enum State {
        /** Written by a live writer. */
        OPEN,
        /** Found at start without a final length; not served until it has one. */
        UNSETTLED,
        /** Has its final length. */
        SETTLED,
        /** Damaged before its durable length; not served. */
        CORRUPT
    }

    final long extentId;
    final ReentrantLock lock = new ReentrantLock();

    volatile State state;
    /** Empty if there is no file: an extent that was sealed without frames. */
    volatile String fileName;

    volatile @Nullable DiskFile file;
    /** Null if it was created by an earlier run. */
    volatile @Nullable Lane lane;

    volatile @Nullable FrameIndex index;
    /** It was looked at since it came, or since it was last to go. */
    volatile boolean indexUsed;
    /** What is synced; 0 without frames. For a settled extent the final length. */
    volatile long durableLength;
    /** What the writer of an open extent said is acknowledged. */
    volatile long acknowledgedLength;
    /** Null until an unsettled extent was scanned. */
    volatile @Nullable ExtentScan scan;

    /** A write or sync failed: its file must never be written or synced again. */
    volatile boolean broken;

    volatile boolean footerWritten;
    volatile boolean sealedName;

    /** It has its final length, and since then something of it could not be read or was not what was written. */
    volatile boolean doubted;

    private final AtomicInteger references = new AtomicInteger(1);
    private volatile @Nullable Runnable whenUnused;

    StoredExtent(long extentId, State state, String fileName) {
        this.extentId = extentId;
        this.state = state;
        this.fileName = fileName;
    }

    /** How far readers may see: acknowledged and here (P3). */
    long visibleLength() {
        return state == State.SETTLED ? durableLength : Math.min(acknowledgedLength, durableLength);
    }

    /** A read failed. What is open or has no bytes is left to those who settle it. */
    void doubt() {
        if (state == State.SETTLED && durableLength > 0) {
            doubted = true;
        }
    }

    /** Whether the extent is still there; then the caller must {@link #release} it. */
    boolean retain() {
        while (true) {
            int count = references.get();
            if (count == 0) {
                return false;
            }
            if (references.compareAndSet(count, count + 1)) {
                return true;
            }
        }
    }

    void release() {
        if (references.decrementAndGet() == 0) {
            Runnable action = whenUnused;
            if (action != null) {
                action.run();
            }
        }
    }

    /** Gives up the store's own reference; the action runs once no reader is left, on the thread of the last. */
    void releaseForDeletion(Runnable action) {
        whenUnused = action;
        release();
    }
}
