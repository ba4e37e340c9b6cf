package io.catchment.broker.extents;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ExtentState;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by the keeper's loop. Sealed extents with data that no store has any more, before they were flushed: this node says so loudly where it
 * speaks for them, and gives them up if the operator has allowed it.
 */
final class LostExtents {
    private static final Logger LOG = LoggerFactory.getLogger(LostExtents.class);
    private static final int AT_ONCE = 16;
    /** So often, 4 s in all, what can be given up once others are recovered, or the object store answers, is awaited. */
    private static final int FAILURES_AWAITED = 4;

    private final LocalStore store;
    private final Repairs repairs;
    private final LostOffsets offsets;
    private final int nodeId;
    private final boolean acceptLoss;
    private final Attempts attempts;
    private final TreeMap<Long, String> obstacles = new TreeMap<>();
    /** What is given up after a flush is in nobody's way: the flush begins when all else is ready. */
    private final Set<Long> afterFlush = new HashSet<>();

    LostExtents(
            LocalStore store,
            SerialLoop loop,
            RandomGenerator random,
            Repairs repairs,
            LostOffsets offsets,
            int nodeId,
            boolean acceptLoss,
            Runnable look) {
        this.store = store;
        this.repairs = repairs;
        this.offsets = offsets;
        this.nodeId = nodeId;
        this.acceptLoss = acceptLoss;
        this.attempts = new Attempts(loop, random, AT_ONCE, look);
    }

    void look(ClusterImage image) {
        Set<Long> lost = new HashSet<>();
        List<ExtentState> extents = new ArrayList<>();
        for (ExtentState extent : image.extents()) {
            if (extent.phase() == ExtentState.Phase.SEALED && extent.length() > 0 && isMineAndLost(image, extent)) {
                lost.add(extent.extentId());
                extents.add(extent);
                if (!afterFlush.contains(extent.extentId())) {
                    obstacles.put(extent.extentId(), reason(extent));
                }
            }
        }
        for (ExtentState extent : extents) {
            if (acceptLoss && attempts.mayStart(extent.extentId())) {
                giveUp(image, extent, lost);
            }
        }
        obstacles.keySet().retainAll(lost);
        afterFlush.retainAll(lost);
        attempts.forgetAllBut(lost);
    }

    /** What this store has of it, if anything, is damaged, and the others are gone. */
    private boolean isMineAndLost(ClusterImage image, ExtentState extent) {
        boolean damagedHere = repairs.isDamaged(extent.extentId());
        List<ExtentState.Store> others = extent.holders().stream()
                .filter(holder -> !(damagedHere && Extents.ref(holder).equals(store.self())))
                .toList();
        return Extents.areGone(image, others) && (damagedHere || Extents.isSpokenForBy(image, extent, nodeId));
    }

    private String reason(ExtentState extent) {
        String what = repairs.isDamaged(extent.extentId())
                ? "is damaged here (" + repairs.damage(extent.extentId()) + ") and no other store has it"
                : "was not flushed and its store is gone";
        return "extent " + extent.extentId() + " (" + extent.length() + " bytes) " + what
                + "; bring back the WAL directory, or start with"
                + " catchment.wal.accept.loss=true to give up what it held";
    }

    private void giveUp(ClusterImage image, ExtentState extent, Set<Long> lost) {
        long id = extent.extentId();
        attempts.start(
                id,
                () -> offsets.giveUp(image, extent, lost),
                filled -> {
                    attempts.succeeded(id);
                    LOG.error(
                            "Extent {} of {} bytes was declared lost by catchment.wal.accept.loss: it was sealed but not flushed, and its stores {} are gone or damaged",
                            id,
                            extent.length(),
                            extent.holders());
                    report(id, filled);
                },
                failure -> {
                    if (failure instanceof LostOffsets.FlushedFirst later) {
                        afterFlush.add(id);
                        obstacles.remove(id);
                        report(id, later.filled());
                    }
                    if (attempts.pause(id)) {
                        LOG.warn("Extent {} could not be declared lost yet, trying on: {}", id, failure.toString());
                    }
                });
    }

    private static void report(long extentId, List<LostHoles.Hole> filled) {
        if (!filled.isEmpty()) {
            LOG.error(
                    "With extent {} gone for certain, and empty from now on: {}", extentId, LostOffsets.named(filled));
        }
    }

    /** Those being given up are none for long. */
    List<String> obstacles() {
        return new ArrayList<>(obstacles.values());
    }

    boolean isSettled() {
        return !acceptLoss || obstacles.keySet().stream().allMatch(id -> attempts.failures(id) >= FAILURES_AWAITED);
    }
}
