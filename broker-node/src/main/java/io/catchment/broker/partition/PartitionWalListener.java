package io.catchment.broker.partition;

import io.catchment.wal.Acknowledged;
import io.catchment.wal.Authority;
import io.catchment.wal.Lane;
import io.catchment.wal.Wal;
import io.catchment.wal.WalListener;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.protocol.Errors;

/**
 * Carries the WAL's news from the lanes' threads to the partitions' event loops: one task for each loop and group commit.
 * Immutable but for what it hands over.
 */
final class PartitionWalListener implements WalListener {
    private final PartitionLoop[] loops;
    private final Wal wal;
    private final LaneFaults faults;
    private final ServingRight right;

    PartitionWalListener(PartitionLoop[] loops, Wal wal, LaneFaults faults, ServingRight right) {
        this.right = right;
        this.loops = loops.clone();
        this.wal = wal;
        this.faults = faults;
    }

    @Override
    public void acknowledged(Lane lane, List<Acknowledged> group) {
        for (PartitionLoop loop : loops) {
            List<Acknowledged> mine = new ArrayList<>(group.size());
            for (Acknowledged entry : group) {
                if (entry.context() instanceof PendingAppend pending && pending.partition.loop() == loop) {
                    mine.add(entry);
                }
            }
            if (!mine.isEmpty()) {
                loop.eventLoop().execute(() -> loop.acknowledged(mine));
            }
        }
        for (Acknowledged entry : group) {
            if (entry.context() instanceof Resigning resigning) {
                long position = entry.payloadPosition();
                int length = entry.frame().payload().readableBytes();
                resigning.loop().eventLoop().execute(() -> resigning.left(entry.extentId(), position, length));
            }
        }
    }

    @Override
    public void authority(Lane lane, Authority authority, String reason) {
        right.set(lane, authority);
    }

    /** Every loop queues the checkpoints of its changed streams; the last one rolls the extent. */
    @Override
    public void rollDue(Lane lane, long extentId) {
        AtomicInteger left = new AtomicInteger(loops.length);
        for (PartitionLoop loop : loops) {
            loop.eventLoop().execute(() -> {
                try {
                    loop.checkpoint(lane);
                } finally {
                    if (left.decrementAndGet() == 0) {
                        wal.roll(lane, extentId);
                    }
                }
            });
        }
    }

    @Override
    public void sealed(Lane lane, long extentId, long length) {}

    @Override
    public void laneState(Lane lane, boolean accepting, String reason) {
        faults.set(lane, reason);
        if (!accepting) {
            for (PartitionLoop loop : loops) {
                loop.eventLoop().execute(() -> loop.endWaits(lane, Errors.KAFKA_STORAGE_ERROR, reason));
            }
        }
    }
}
