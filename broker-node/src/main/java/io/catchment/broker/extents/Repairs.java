package io.catchment.broker.extents;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.TaskState;
import io.catchment.wal.StoreRef;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by the keeper's loop. Copies sealed extents from their holders: those that this node has the REPAIR task for, which it then reports, and
 * those that this store is recorded to hold but has damaged or lost (W6). Reports whole copies, too, that were found here and are needed.
 */
final class Repairs {
    private static final Logger LOG = LoggerFactory.getLogger(Repairs.class);
    /** Each copy passes through the disk thread that also creates extents and settles them. */
    private static final int AT_ONCE = 2;

    private final LocalStore store;
    private final ControlPlane controlPlane;
    private final int nodeId;
    private final long nodeEpoch;
    private final Attempts attempts;
    private final Set<Long> tasks = new HashSet<>();
    /** Copied or found here, while it is not certain whether the control plane knows. */
    private final Set<Long> unreported = new HashSet<>();
    /** Copies of this store that are not what was sealed, with what is wrong. */
    private final Map<Long, String> damaged = new HashMap<>();

    Repairs(
            LocalStore store,
            ControlPlane controlPlane,
            SerialLoop loop,
            RandomGenerator random,
            int nodeId,
            long nodeEpoch,
            Runnable look) {
        this.store = store;
        this.controlPlane = controlPlane;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        this.attempts = new Attempts(loop, random, AT_ONCE, look);
    }

    void look(ClusterImage image) {
        tasks.clear();
        for (TaskState task : image.tasks()) {
            if (task.kind() == TaskState.Kind.REPAIR
                    && task.nodeId() == nodeId
                    && task.nodeEpoch() == nodeEpoch
                    && image.extent(task.extentId()).isPresent()) {
                tasks.add(task.extentId());
            }
        }
        damaged.keySet().removeIf(id -> !isSealedHere(image, id));
        Set<Long> wanted = wanted();
        for (long extentId : wanted) {
            image.extent(extentId)
                    .filter(extent -> attempts.mayStart(extentId))
                    .ifPresent(extent -> work(image, extent));
        }
        attempts.forgetAllBut(wanted);
    }

    private boolean isSealedHere(ClusterImage image, long extentId) {
        return image.extent(extentId)
                .filter(extent -> extent.phase() == ExtentState.Phase.SEALED
                        && extent.holders().contains(Extents.store(store.self())))
                .isPresent();
    }

    private Set<Long> wanted() {
        Set<Long> wanted = new HashSet<>(tasks);
        wanted.addAll(unreported);
        wanted.addAll(damaged.keySet());
        return wanted;
    }

    private void work(ClusterImage image, ExtentState extent) {
        if (unreported.contains(extent.extentId())) {
            report(extent);
            return;
        }
        List<StoreRef> sources = sources(image, extent);
        attempts.start(
                extent.extentId(),
                () -> store.repair(Extents.descriptor(extent), extent.length(), sources),
                done -> copied(extent),
                failure -> failed(extent, failure));
    }

    private List<StoreRef> sources(ClusterImage image, ExtentState extent) {
        return Extents.refs(extent.holders()).stream()
                .filter(holder -> !holder.equals(store.self()))
                .sorted(Comparator.comparing((StoreRef holder) -> !Extents.isLive(image, holder)))
                .toList();
    }

    private void copied(ExtentState extent) {
        attempts.succeeded(extent.extentId());
        if (damaged.remove(extent.extentId()) != null) {
            LOG.warn("Extent {} was damaged in this store and is whole again", extent.extentId());
        } else {
            unreported.add(extent.extentId());
            report(extent);
        }
    }

    /** Until it is certain that this store is a holder, or that it is not, the copy stays. */
    private void report(ExtentState extent) {
        long id = extent.extentId();
        attempts.start(
                id,
                () -> controlPlane.submit(new Command.AddHolder(nodeId, nodeEpoch, id, Extents.store(store.self()))),
                done -> {
                    unreported.remove(id);
                    attempts.succeeded(id);
                    LOG.info("Extent {} of {} bytes is held by this store now", id, extent.length());
                },
                failure -> {
                    if (isCertain(failure)) {
                        unreported.remove(id);
                    }
                    failed(extent, failure);
                });
    }

    private static boolean isCertain(Throwable failure) {
        return failure instanceof CommandException refused
                && refused.reason() != Reason.UNCERTAIN
                && refused.reason() != Reason.UNAVAILABLE;
    }

    private void failed(ExtentState extent, Throwable failure) {
        if (attempts.pause(extent.extentId())) {
            LOG.warn("Extent {} could not be repaired yet, trying on: {}", extent.extentId(), failure.toString());
        }
    }

    /** All of it is here, verified, and no record says so: it is reported, and stays until the fate of that is certain. */
    void found(long extentId) {
        unreported.add(extentId);
    }

    /** This store's copy is not what was sealed: another one takes its place. */
    void damaged(ExtentState extent, String what) {
        if (damaged.put(extent.extentId(), what) == null) {
            LOG.error(
                    "The local copy of extent {} is damaged or lost and will be replaced by another holder's ({}): {}. Check this node's disk",
                    extent.extentId(),
                    extent.holders(),
                    what);
        }
    }

    boolean isDamaged(long extentId) {
        return damaged.containsKey(extentId);
    }

    String damage(long extentId) {
        return damaged.getOrDefault(extentId, "");
    }

    /** The local copy is not to be touched by others. */
    boolean concerns(long extentId) {
        return tasks.contains(extentId)
                || unreported.contains(extentId)
                || damaged.containsKey(extentId)
                || attempts.isUnderWay(extentId);
    }

    void retryNow() {
        attempts.retryNow();
    }

    void addWorkedOn(Set<Long> workedOn) {
        for (long extentId : tasks) {
            if (attempts.isClaimed(extentId)) {
                workedOn.add(extentId);
            }
        }
    }
}
