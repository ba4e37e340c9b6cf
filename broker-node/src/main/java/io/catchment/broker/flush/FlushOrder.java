package io.catchment.broker.flush;

import io.catchment.controlplane.ExtentState;
import io.catchment.objectstore.transfer.PriorityShares;
import io.catchment.objectstore.transfer.TransferClass;
import io.catchment.wal.Lane;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Owned by the flush loop. Which extent is uploaded next: of the most urgent lane, its oldest, but for the least shares of the other lanes, so that
 * a backlog of urgent data does not keep everything else in the WAL until the disk is full.
 */
public final class FlushOrder {
    private static final Lane[] LANES = Lane.values();

    private final PriorityShares turns = new PriorityShares(
            transferClass(Lane.URGENT).shareMin(),
            transferClass(Lane.NORMAL).shareMin(),
            transferClass(Lane.BULK).shareMin());

    /** As what extents of a lane are transferred. */
    public static TransferClass transferClass(Lane lane) {
        return switch (lane) {
            case URGENT -> TransferClass.FLUSH_URGENT;
            case NORMAL -> TransferClass.FLUSH_NORMAL;
            case BULK -> TransferClass.FLUSH_BULK;
        };
    }

    private long chosen = -1;

    /**
     * The same one until it is begun, or cannot be any more; null if there is none. It counts with its length.
     *
     * @param due what could be begun, in order within each lane
     */
    @Nullable
    ExtentState next(List<ExtentState> due) {
        for (ExtentState extent : due) {
            if (extent.extentId() == chosen) {
                return extent;
            }
        }
        @Nullable ExtentState[] heads = new ExtentState[LANES.length];
        for (ExtentState extent : due) {
            if (heads[extent.lane()] == null) {
                heads[extent.lane()] = extent;
            }
        }
        long[] costs = new long[LANES.length];
        boolean[] ready = new boolean[LANES.length];
        for (int lane = 0; lane < LANES.length; lane++) {
            ExtentState head = heads[lane];
            costs[lane] = head == null ? -1 : Math.max(1, head.length());
            ready[lane] = head != null;
        }
        int turn = turns.next(costs, ready);
        ExtentState next = turn < 0 ? null : heads[turn];
        chosen = next == null ? -1 : next.extentId();
        return next;
    }

    void begun() {
        chosen = -1;
    }
}
