package io.catchment.broker.node;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** The WAL's view of the control plane: its calls as commands in this node's epoch. Thread-safe. */
final class WalControl implements ExtentRegistry {
    private final ControlPlane controlPlane;
    private final int nodeId;
    /** Extents that this node recovers, with the epoch to seal them in. */
    private final Map<Long, Long> recoveryEpochs = new ConcurrentHashMap<>();

    private volatile long nodeEpoch = -1;

    WalControl(ControlPlane controlPlane, int nodeId) {
        this.controlPlane = controlPlane;
        this.nodeId = nodeId;
    }

    /** Before the first append. */
    void registered(long epoch) {
        nodeEpoch = epoch;
    }

    @Override
    public CompletionStage<ExtentDescriptor> create(Lane lane) {
        return answered(controlPlane.submit(new Command.CreateExtent(nodeId, nodeEpoch, lane.id())))
                .thenApply(WalControl::descriptor);
    }

    @Override
    public CompletionStage<Void> seal(long extentId, long length, List<StoreRef> holders) {
        List<ExtentState.Store> stores = holders.stream()
                .map(holder -> new ExtentState.Store(holder.nodeId(), holder.storeId()))
                .toList();
        long epoch = recoveryEpochs.getOrDefault(extentId, nodeEpoch);
        return answered(controlPlane.submit(new Command.SealExtent(extentId, epoch, length, stores)))
                .thenAccept(done -> recoveryEpochs.remove(extentId));
    }

    @Override
    public CompletionStage<Long> startRecovery(long extentId) {
        return answered(controlPlane.submit(new Command.RecoverExtent(extentId, nodeId, nodeEpoch)))
                .thenApply(recovery -> {
                    recoveryEpochs.put(extentId, recovery.epoch());
                    return recovery.epoch();
                });
    }

    static ExtentDescriptor descriptor(ExtentState extent) {
        return new ExtentDescriptor(
                extent.extentId(),
                extent.writerNodeId(),
                extent.writerEpoch(),
                Lane.of(extent.lane()),
                extent.ensemble().stream()
                        .map(store -> new StoreRef(store.nodeId(), store.storeId()))
                        .toList(),
                extent.ackQuorum());
    }

    /** An epoch that is over is final for the WAL; everything else it tries again. */
    private static <T> CompletionStage<T> answered(CompletionStage<T> stage) {
        return stage.exceptionally(failure -> {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            if (cause instanceof CommandException command && command.reason() == CommandException.Reason.FENCED) {
                throw new FencedException(String.valueOf(command.getMessage()));
            }
            throw new CompletionException(cause);
        });
    }
}
