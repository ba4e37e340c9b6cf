package io.catchment.wal.simulation;

import io.catchment.wal.StoreRef;
import io.catchment.wal.node.LocalWal;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** One machine of a simulated cluster: its disk outlives its processes, unless it is wiped. */
final class ClusterNode {
    final int id;
    private final SplittableRandom random;
    SimDisk disk;
    SimScheduler.Life life;

    @Nullable
    LocalWal wal;

    SimControl.@Nullable Client client;

    /** Stores in the epochs that this process has heard of. */
    final Map<StoreRef, Long> heard = new HashMap<>();

    ClusterNode(int id, SplittableRandom random, SimScheduler scheduler) {
        this.id = id;
        this.random = random;
        this.disk = new SimDisk(random.split());
        this.life = scheduler.new Life();
        life.end();
    }

    boolean up() {
        return !life.isOver();
    }

    void wipe() {
        disk = new SimDisk(random.split());
    }

    /** The store that is in the disk now, as far as it is open. */
    @Nullable
    StoreRef store() {
        LocalWal now = wal;
        return now == null || !up() ? null : now.localStore();
    }
}
