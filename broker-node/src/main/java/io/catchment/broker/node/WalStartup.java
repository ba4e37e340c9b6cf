package io.catchment.broker.node;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.RecoveryReport;
import io.catchment.wal.Wal;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the local store and the control plane to one view before the node serves: what this node's earlier epochs left open
 * is recovered (DESIGN §5), what was sealed is settled, what nobody knows is deleted. Extents whose only copies were on a
 * store that is gone wait, loudly; an operator may declare them lost. Blocks; runs once, on the starting thread.
 */
final class WalStartup {
    private static final Logger log = LoggerFactory.getLogger(WalStartup.class);
    private static final long TIMEOUT_S = 300;

    private final Wal wal;
    private final ControlPlane controlPlane;
    private final int nodeId;
    private final long nodeEpoch;
    private final boolean acceptLoss;

    WalStartup(Wal wal, ControlPlane controlPlane, int nodeId, long nodeEpoch, boolean acceptLoss) {
        this.wal = wal;
        this.controlPlane = controlPlane;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        this.acceptLoss = acceptLoss;
    }

    /** What stands in the way of serving: empty, or reasons for people. */
    List<String> run() throws Exception {
        List<String> obstacles = new ArrayList<>();
        ClusterImage image = controlPlane.image();
        List<ExtentDescriptor> open = new ArrayList<>();
        List<ExtentState> lost = new ArrayList<>();
        for (ExtentState extent : image.extents()) {
            switch (extent.phase()) {
                case OPEN, RECOVERING -> {
                    if (extent.writerNodeId() == nodeId && extent.writerEpoch() < nodeEpoch) {
                        open.add(WalControl.descriptor(extent));
                    }
                }
                case SEALED -> {
                    if (extent.length() > 0 && onlyOnLostStores(extent)) {
                        lost.add(extent);
                    }
                }
                case FLUSHED -> {}
            }
        }
        settle(image);
        if (!open.isEmpty()) {
            recover(open, obstacles);
        }
        for (ExtentState extent : lost) {
            giveUpOrWait(extent, obstacles);
        }
        return obstacles;
    }

    private boolean onlyOnLostStores(ExtentState extent) {
        String mine = wal.storeId();
        return extent.holders().stream()
                .allMatch(
                        holder -> holder.nodeId() == nodeId && !holder.storeId().equals(mine));
    }

    private void settle(ClusterImage image) throws Exception {
        for (long extentId : wal.unsettled()) {
            ExtentState extent = image.extent(extentId).orElse(null);
            if (extent == null) {
                log.info("Extent {} is unknown to the control plane: its local copy is deleted", extentId);
                await(wal.delete(extentId));
            } else if (extent.phase() == ExtentState.Phase.SEALED || extent.phase() == ExtentState.Phase.FLUSHED) {
                await(wal.settle(extentId, extent.length()));
            }
        }
    }

    private void recover(List<ExtentDescriptor> open, List<String> obstacles) throws Exception {
        long started = System.nanoTime();
        RecoveryReport report = await(wal.recover(open));
        for (RecoveryReport.Waiting waiting : report.waiting()) {
            if (acceptLoss) {
                ExtentDescriptor descriptor = open.stream()
                        .filter(extent -> extent.extentId() == waiting.extentId())
                        .findFirst()
                        .orElseThrow();
                long length = await(wal.declareLost(descriptor));
                log.error(
                        "Extent {} was declared lost by catchment.wal.accept.loss: sealed at {} bytes; records acknowledged in it are gone ({})",
                        waiting.extentId(),
                        length,
                        waiting.reason());
            } else {
                obstacles.add(
                        "extent " + waiting.extentId() + " cannot be recovered: " + waiting.reason()
                                + "; bring its store back, or start with catchment.wal.accept.loss=true to give up what it held");
            }
        }
        log.info(
                "Recovered {} extents of earlier epochs in {} ms, {} wait",
                report.sealed().size(),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started),
                report.waiting().size());
    }

    private void giveUpOrWait(ExtentState extent, List<String> obstacles) throws Exception {
        if (acceptLoss) {
            await(controlPlane.submit(
                    new Command.PublishFlush(nodeId, nodeEpoch, extent.extentId(), -1, 0, List.of(), List.of())));
            log.error(
                    "Extent {} of {} bytes was declared lost by catchment.wal.accept.loss: it was sealed but not flushed, and its stores {} are gone",
                    extent.extentId(),
                    extent.length(),
                    extent.holders());
        } else {
            obstacles.add("extent " + extent.extentId() + " (" + extent.length()
                    + " bytes) was not flushed and its store is gone; bring back the WAL directory, or start with"
                    + " catchment.wal.accept.loss=true to give up what it held");
        }
    }

    private static <T> T await(java.util.concurrent.CompletionStage<T> stage) throws Exception {
        CompletableFuture<T> future = stage.toCompletableFuture();
        return future.get(TIMEOUT_S, TimeUnit.SECONDS);
    }
}
