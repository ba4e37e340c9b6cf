package io.catchment.broker.node;

import io.catchment.broker.extents.Extents;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.NodeState;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/**
 * What a node that stops in an orderly way waits for while everything of it still runs: that its streams have gone to others, and that
 * others' open extents have left its store. Only as long as there is somebody to take them, and for a bounded time: without
 * controllers, or beside nodes that hang, nothing of it happens, and the node stops all the same. Used by the thread that stops the node.
 */
final class Departure {
    private static final long LOOK_MS = 20;
    private static final String BROKER = "broker";
    private static final String WAL = "wal";

    private final int nodeId;
    private final int ackQuorum;
    private final Supplier<ClusterImage> image;
    private final IntSupplier streams;
    private final BooleanSupplier over;

    /**
     * @param streams how many this node serves
     * @param over whether its epoch is over, and with it all that it could give away
     */
    Departure(int nodeId, int ackQuorum, Supplier<ClusterImage> image, IntSupplier streams, BooleanSupplier over) {
        this.nodeId = nodeId;
        this.ackQuorum = ackQuorum;
        this.image = image;
        this.streams = streams;
        this.over = over;
    }

    boolean isOfUse() {
        return !over.getAsBoolean() && (streamsHaveWhereToGo() || extentsHaveWhereToGo());
    }

    /** Of a node that has asked to be drained. */
    void await(long streamsMs, long extentsMs) throws InterruptedException {
        awaitWhile(() -> streams.getAsInt() > 0 && streamsHaveWhereToGo(), streamsMs);
        awaitWhile(() -> isInEnsembles() && extentsHaveWhereToGo(), extentsMs);
    }

    private void awaitWhile(BooleanSupplier condition, long timeoutMs) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        while (!over.getAsBoolean() && condition.getAsBoolean() && System.nanoTime() < deadline) {
            Thread.sleep(LOOK_MS);
        }
    }

    /** Until the image has it as drained, extents may still be placed here. */
    private boolean isInEnsembles() {
        ClusterImage now = image.get();
        boolean draining = now.node(nodeId).filter(NodeState::draining).isPresent();
        return !draining || Extents.openElsewhere(now, nodeId) > 0;
    }

    private boolean streamsHaveWhereToGo() {
        return others(BROKER) > 0;
    }

    /** Where fewer are left than must have a record, extents are placed on drained stores all the same. */
    private boolean extentsHaveWhereToGo() {
        return others(WAL) >= ackQuorum;
    }

    private long others(String role) {
        return image.get().nodes().stream()
                .filter(node -> node.nodeId() != nodeId && node.takesMore() && node.has(role))
                .count();
    }
}
