package io.catchment.broker.extents;

import io.catchment.broker.loop.Attempt;
import io.catchment.controlplane.ExtentState;
import io.catchment.wal.Lane;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** Which extents lanes were given in this epoch, so that one that none of them heard of is found. Guarded by its monitor. */
final class GivenExtents {
    private final Set<Long> given = new HashSet<>();
    /** Questions without an answer yet, by lane. */
    private final Map<Integer, Integer> asked = new HashMap<>();

    /** Asks, and remembers the answer before anybody else hears it. */
    CompletionStage<ExtentState> ask(Lane lane, Supplier<CompletionStage<ExtentState>> question) {
        count(lane, 1);
        return Attempt.of(question).whenComplete((extent, failure) -> {
            synchronized (this) {
                if (extent != null) {
                    given.add(extent.extentId());
                }
                count(lane, -1);
            }
        });
    }

    private synchronized void count(Lane lane, int change) {
        asked.merge(lane.id(), change, Integer::sum);
    }

    /**
     * Whether a lane's open extent is known to no lane and will be to none: it was created, and the answer was lost. For an extent of this
     * epoch out of an image: an answer comes after the image that has its extent.
     */
    synchronized boolean isStray(ExtentState extent) {
        return extent.phase() == ExtentState.Phase.OPEN
                && asked.getOrDefault(extent.lane(), 0) == 0
                && !given.contains(extent.extentId());
    }

    synchronized Set<Long> all() {
        return Set.copyOf(given);
    }

    synchronized void forget(Collection<Long> sealed) {
        given.removeAll(sealed);
    }

    synchronized void clear() {
        given.clear();
    }
}
