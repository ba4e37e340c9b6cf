package io.catchment.broker.extents;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ExtentState;
import io.catchment.wal.RecoveryReport;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by the keeper's loop. Recovers the extents of dead writers that the control plane gave to this node in this epoch (DESIGN §5), all at
 * once. What has to wait for a store is tried again; nothing is guessed, unless the operator has said that what is lost may be given up.
 */
final class Recoveries {
    private static final Logger LOG = LoggerFactory.getLogger(Recoveries.class);
    private static final int AT_ONCE = 64;

    private final LocalStore store;
    private final ControlPlane controlPlane;
    private final SerialLoop loop;
    private final int nodeId;
    private final long nodeEpoch;
    private final boolean acceptLoss;
    private final Attempts attempts;
    private final Set<Long> mine = new HashSet<>();
    /** Why they wait. */
    private final Map<Long, String> waiting = new TreeMap<>();

    Recoveries(
            LocalStore store,
            ControlPlane controlPlane,
            SerialLoop loop,
            RandomGenerator random,
            int nodeId,
            long nodeEpoch,
            boolean acceptLoss,
            Runnable look) {
        this.store = store;
        this.controlPlane = controlPlane;
        this.loop = loop;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        this.acceptLoss = acceptLoss;
        this.attempts = new Attempts(loop, random, AT_ONCE, look);
    }

    void look(ClusterImage image) {
        mine.clear();
        for (ExtentState extent : image.extents()) {
            if (isMine(image, extent)) {
                mine.add(extent.extentId());
                if (attempts.mayStart(extent.extentId())) {
                    recover(extent);
                }
            }
        }
        waiting.keySet().retainAll(mine);
        attempts.forgetAllBut(mine);
    }

    /** Given to this node, or to nobody, because no store is left that it was written to. */
    private boolean isMine(ClusterImage image, ExtentState extent) {
        return Extents.isRecoveredBy(extent, nodeId, nodeEpoch)
                || (extent.phase() == ExtentState.Phase.RECOVERING
                        && extent.recoverer() == null
                        && Extents.areGone(image, extent.ensemble())
                        && Extents.isSpokenForBy(image, extent, nodeId));
    }

    private void recover(ExtentState extent) {
        long started = loop.nanoTime();
        attempts.start(
                extent.extentId(),
                () -> store.recover(Extents.descriptor(extent)),
                report -> recovered(extent, report, started),
                failure -> waits(extent, String.valueOf(failure.getMessage())));
    }

    private void recovered(ExtentState extent, RecoveryReport report, long started) {
        for (RecoveryReport.Sealed sealed : report.sealed()) {
            ended(extent);
            LOG.info(
                    "Extent {} of node {} in epoch {} is recovered after {} ms: sealed at {}, held by {}",
                    sealed.extentId(),
                    extent.writerNodeId(),
                    extent.writerEpoch(),
                    TimeUnit.NANOSECONDS.toMillis(loop.nanoTime() - started),
                    sealed.length(),
                    sealed.holders());
        }
        for (RecoveryReport.Waiting one : report.waiting()) {
            if (acceptLoss && isLost(one)) {
                giveUp(extent, one.reason());
            } else {
                waits(extent, one.reason());
            }
        }
    }

    /** Nobody can answer for what is missing any more: the stores are gone, or it is this one that is damaged. */
    private boolean isLost(RecoveryReport.Waiting one) {
        ClusterImage image = controlPlane.image();
        return !one.missing().isEmpty()
                && !one.mayAnswer()
                && one.missing().stream()
                        .allMatch(missing -> missing.equals(store.self()) || Extents.isGone(image, missing));
    }

    private void giveUp(ExtentState extent, String reason) {
        attempts.start(
                extent.extentId(),
                () -> store.declareLost(Extents.descriptor(extent)),
                length -> {
                    ended(extent);
                    LOG.error(
                            "Extent {} was declared lost by catchment.wal.accept.loss: sealed at {} bytes; records acknowledged in it are gone ({})",
                            extent.extentId(),
                            length,
                            reason);
                },
                failure -> waits(extent, String.valueOf(failure.getMessage())));
    }

    private void ended(ExtentState extent) {
        attempts.succeeded(extent.extentId());
        waiting.remove(extent.extentId());
    }

    private void waits(ExtentState extent, String reason) {
        ClusterImage image = controlPlane.image();
        boolean stillMine = image.extent(extent.extentId())
                .filter(known -> isMine(image, known))
                .isPresent();
        if (!stillMine) {
            LOG.info("Extent {} is another node's to recover now, or sealed: {}", extent.extentId(), reason);
            return;
        }
        waiting.put(extent.extentId(), reason);
        if (attempts.pause(extent.extentId())) {
            LOG.warn(
                    "Extent {} of node {} cannot be recovered yet, its streams stay unavailable: {}. Trying on",
                    extent.extentId(),
                    extent.writerNodeId(),
                    reason);
        }
    }

    /** Nodes came or went: what waits may be able to go on. */
    void retryNow() {
        attempts.retryNow();
    }

    void addWorkedOn(Set<Long> workedOn) {
        for (long extentId : mine) {
            if (attempts.isClaimed(extentId)) {
                workedOn.add(extentId);
            }
        }
    }

    /** As of the last look. */
    boolean isToDo(ExtentState extent) {
        return mine.contains(extent.extentId());
    }

    /** Tried, and found that it has to wait. */
    boolean isWaiting(long extentId) {
        return waiting.containsKey(extentId);
    }

    List<String> obstacles() {
        List<String> obstacles = new ArrayList<>();
        waiting.forEach((extentId, reason) -> obstacles.add("extent " + extentId + " cannot be recovered: " + reason
                + "; bring its store back, or start with catchment.wal.accept.loss=true to give up what it held"));
        return obstacles;
    }
}
