package io.catchment.wal.store;

import io.catchment.wal.disk.Disk;
import io.catchment.wal.format.ExtentHeader;
import io.catchment.wal.replica.Replica.FencedByRecoveryException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Which writers and recoveries this store refuses; on disk before it is answered. Thread-safe. */
final class Fences {
    private final Disk disk;
    private final Map<Long, Fence> fences = new ConcurrentHashMap<>();
    private final DeadWriters deadWriters;

    Fences(Disk disk) {
        this.disk = disk;
        this.deadWriters = new DeadWriters(disk);
    }

    /** At start: what an earlier run promised. */
    void adopt(String name) throws IOException {
        if (name.equals(FileNames.DEAD_WRITERS)) {
            deadWriters.read();
        } else {
            Fence fence = Fence.read(disk, name);
            fences.put(fence.extentId(), fence);
        }
    }

    /**
     * After {@link #adopt}: fences of extents that never came here, or were deleted, need no file of their own. Their writers
     * stay refused; a recovery of a lower epoch would learn nothing here and is refused by the control plane.
     */
    void fold(Set<Long> extentsHere) throws IOException {
        for (long extentId : List.copyOf(fences.keySet())) {
            if (!extentsHere.contains(extentId)) {
                remove(extentId);
            }
        }
    }

    void refuseLateRecovery(long extentId, long recoveryEpoch) {
        Fence known = fences.get(extentId);
        if (known != null && known.epoch() > recoveryEpoch) {
            throw new FencedByRecoveryException(
                    "extent " + extentId + " is fenced at epoch " + known.epoch() + ", later than " + recoveryEpoch);
        }
    }

    void refuseOtherRecovery(long extentId, long recoveryEpoch) {
        Fence fence = fences.get(extentId);
        if (fence == null || fence.epoch() != recoveryEpoch) {
            throw new FencedByRecoveryException("extent " + extentId + " is not fenced at epoch " + recoveryEpoch);
        }
    }

    void refuseWriter(long extentId, long writerEpoch) {
        Fence fence = fences.get(extentId);
        if (fence != null) {
            throw new FencedByRecoveryException("extent " + extentId + " of writer epoch " + writerEpoch
                    + " was fenced by recovery epoch " + fence.epoch());
        }
    }

    void refuseCreation(ExtentHeader header) {
        refuseWriter(header.extentId(), header.writerEpoch());
        if (deadWriters.isDead(header.writerNodeId(), header.writerEpoch())) {
            throw new FencedByRecoveryException("extent " + header.extentId() + " of node " + header.writerNodeId()
                    + ": epoch " + header.writerEpoch() + " was fenced by a recovery");
        }
    }

    /** Answers the length once it is promised on disk. */
    long persist(ExtentHeader header, long recoveryEpoch, long length) throws IOException {
        Fence fence = new Fence(header.extentId(), recoveryEpoch, length, header.writerNodeId(), header.writerEpoch());
        if (!fence.equals(fences.get(header.extentId()))) {
            fence.write(disk);
            fences.put(header.extentId(), fence);
        }
        return length;
    }

    /** A length this store answered before: bytes below it were durable, whatever a scan says. Negative if never fenced. */
    long answeredLength(long extentId) {
        Fence fence = fences.get(extentId);
        return fence == null ? -1 : fence.answeredLength();
    }

    /** The extent is gone; its writer stays refused. */
    void remove(long extentId) throws IOException {
        Fence fence = fences.get(extentId);
        if (fence != null) {
            deadWriters.add(fence.writerNodeId(), fence.writerEpoch());
            disk.delete(FileNames.fence(extentId));
            fences.remove(extentId);
        }
    }
}
