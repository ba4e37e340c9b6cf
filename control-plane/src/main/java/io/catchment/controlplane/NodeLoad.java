package io.catchment.controlplane;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a node tells the active controller in each heartbeat. Soft state: it is never in the log, only in decisions made by it.
 *
 * @param bytesPerSecond produced and fetched, per lane or in all
 * @param requestsPerSecond per lane or in all
 * @param pressure of the WAL's disk: 0 green, 1 yellow, 2 orange, 3 red (DESIGN §10); from orange on it gets no further extents
 * @param wantsToDrain it is being stopped for good and asks to be rid of its streams
 * @param unreachableMs nodes whose WAL it cannot connect to now (refused, reset), and for how many ms already: when all others say so of a
 *     silent node, it is fenced before its lease is over
 * @param extentsWorkedOn extents of its tasks and recoveries that it is at work on, which keeps them with it
 * @param streamsServed so many streams it has open for clients: it may own more, which it is about to open or cannot
 */
public record NodeLoad(
        List<Double> bytesPerSecond,
        List<Double> requestsPerSecond,
        long diskFreeBytes,
        long diskTotalBytes,
        int pressure,
        boolean wantsToDrain,
        Map<Integer, Long> unreachableMs,
        Set<Long> extentsWorkedOn,
        int streamsServed) {

    public static final int ORANGE = 2;
    public static final int PRESSURE_MAX = 3;

    /** Nothing to say but that the node lives; of a disk without end. */
    public static final NodeLoad IDLE =
            new NodeLoad(List.of(), List.of(), Long.MAX_VALUE, Long.MAX_VALUE, 0, false, Map.of(), Set.of(), 0);

    public NodeLoad {
        bytesPerSecond = List.copyOf(bytesPerSecond);
        requestsPerSecond = List.copyOf(requestsPerSecond);
        unreachableMs = Map.copyOf(unreachableMs);
        extentsWorkedOn = Set.copyOf(extentsWorkedOn);
        if (pressure < 0 || pressure > PRESSURE_MAX || diskFreeBytes < 0 || diskTotalBytes < 0 || streamsServed < 0) {
            throw new IllegalArgumentException("impossible figures of a node: pressure " + pressure + ", "
                    + diskFreeBytes + " bytes free of " + diskTotalBytes + ", " + streamsServed + " streams served");
        }
    }

    public double bytesPerSecondInAll() {
        return bytesPerSecond.stream().mapToDouble(Double::doubleValue).sum();
    }

    public double requestsPerSecondInAll() {
        return requestsPerSecond.stream().mapToDouble(Double::doubleValue).sum();
    }

    public boolean isPressed() {
        return pressure >= ORANGE;
    }
}
