package io.catchment.broker.extents;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import io.catchment.wal.ExtentDescriptor;
import io.catchment.wal.ExtentRegistry;
import io.catchment.wal.Lane;
import io.catchment.wal.StoreRef;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

/** The WAL's view of the control plane: its calls as commands in this node's epoch. Thread-safe. */
public final class WalControl implements ExtentRegistry {
    private final ControlPlane controlPlane;
    private final int nodeId;
    /** Extents that this node recovers, with the epoch to seal them in. */
    private final Map<Long, Long> recoveryEpochs = new ConcurrentHashMap<>();

    private final GivenExtents given = new GivenExtents();
    private volatile long nodeEpoch = -1;

    public WalControl(ControlPlane controlPlane, int nodeId) {
        this.controlPlane = controlPlane;
        this.nodeId = nodeId;
    }

    /** Before the first append, and again in each further epoch. */
    public void registered(long epoch) {
        nodeEpoch = epoch;
        recoveryEpochs.clear();
        given.clear();
    }

    @Override
    public CompletionStage<ExtentDescriptor> create(Lane lane) {
        return create(lane, Set.of());
    }

    @Override
    public CompletionStage<ExtentDescriptor> create(Lane lane, Set<StoreRef> avoid) {
        List<ExtentState.Store> stores = avoid.stream().map(Extents::store).toList();
        Command.CreateExtent create = new Command.CreateExtent(nodeId, nodeEpoch, lane.id(), stores);
        return given.ask(lane, () -> answered(controlPlane.submit(create))).thenApply(Extents::descriptor);
    }

    /** See {@link GivenExtents#isStray}. */
    boolean isStray(ExtentState extent) {
        return extent.writerNodeId() == nodeId && extent.writerEpoch() == nodeEpoch && given.isStray(extent);
    }

    /** What lanes were given in this epoch, but for what was forgotten. */
    Set<Long> given() {
        return given.all();
    }

    void forget(Collection<Long> sealed) {
        given.forget(sealed);
    }

    @Override
    public CompletionStage<List<StoreRef>> standIns(ExtentDescriptor extent) {
        return CompletableFuture.completedStage(controlPlane
                .image()
                .extent(extent.extentId())
                .map(known -> Extents.refs(controlPlane.image().standIns(known)))
                .orElse(List.of()));
    }

    @Override
    public CompletionStage<Void> seal(long extentId, long length, List<StoreRef> holders) {
        Long recovery = recoveryEpochs.get(extentId);
        long epoch = recovery == null ? nodeEpoch : recovery;
        List<ExtentState.Store> stores = holders.stream().map(Extents::store).toList();
        CompletionStage<Command.Done> sealed =
                controlPlane.submit(new Command.SealExtent(extentId, epoch, length, stores));
        return (recovery == null ? answered(sealed) : answeredOrGone(sealed)).thenAccept(done -> {
            if (recovery != null) {
                recoveryEpochs.remove(extentId, recovery);
            }
        });
    }

    /** The recovery epoch that the control plane gave with the extent will do: asking for another would cost a commit. */
    @Override
    public CompletionStage<Long> startRecovery(long extentId) {
        ExtentState extent = controlPlane.image().extent(extentId).orElse(null);
        if (extent != null && Extents.isRecoveredBy(extent, nodeId, nodeEpoch)) {
            recoveryEpochs.put(extentId, extent.epoch());
            return CompletableFuture.completedStage(extent.epoch());
        }
        return answeredOrGone(controlPlane.submit(new Command.RecoverExtent(extentId, nodeId, nodeEpoch)))
                .thenApply(recovery -> {
                    recoveryEpochs.put(extentId, recovery.epoch());
                    return recovery.epoch();
                });
    }

    /** An epoch that is over is final for the WAL; everything else it tries again. */
    private static <T> CompletionStage<T> answered(CompletionStage<T> stage) {
        return answered(stage, Set.of(Reason.FENCED));
    }

    /** An extent that has left the state needs no recovery either. */
    private static <T> CompletionStage<T> answeredOrGone(CompletionStage<T> stage) {
        return answered(stage, Set.of(Reason.FENCED, Reason.NOT_FOUND));
    }

    private static <T> CompletionStage<T> answered(CompletionStage<T> stage, Set<Reason> finals) {
        return stage.exceptionally(failure -> {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            if (cause instanceof CommandException command && finals.contains(command.reason())) {
                throw new FencedException(String.valueOf(command.getMessage()));
            }
            throw new CompletionException(cause);
        });
    }
}
