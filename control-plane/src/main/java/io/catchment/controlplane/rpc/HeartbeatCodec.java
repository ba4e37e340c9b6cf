package io.catchment.controlplane.rpc;

import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.proto.Heartbeat;
import java.util.Set;

/** Heartbeats on the wire (rpc.proto). */
public final class HeartbeatCodec {
    private HeartbeatCodec() {}

    public static Heartbeat write(int nodeId, long nodeEpoch, NodeLoad load) {
        return Heartbeat.newBuilder()
                .setNodeId(nodeId)
                .setNodeEpoch(nodeEpoch)
                .addAllBytesPerSecond(load.bytesPerSecond())
                .addAllRequestsPerSecond(load.requestsPerSecond())
                .setDiskFreeBytes(load.diskFreeBytes())
                .setDiskTotalBytes(load.diskTotalBytes())
                .setPressure(load.pressure())
                .setWantsToDrain(load.wantsToDrain())
                .putAllUnreachableMs(load.unreachableMs())
                .addAllExtentsWorkedOn(load.extentsWorkedOn())
                .setStreamsServed(load.streamsServed())
                .build();
    }

    public static NodeLoad load(Heartbeat in) {
        return new NodeLoad(
                in.getBytesPerSecondList(),
                in.getRequestsPerSecondList(),
                in.getDiskFreeBytes(),
                in.getDiskTotalBytes(),
                in.getPressure(),
                in.getWantsToDrain(),
                in.getUnreachableMsMap(),
                Set.copyOf(in.getExtentsWorkedOnList()),
                in.getStreamsServed());
    }
}
