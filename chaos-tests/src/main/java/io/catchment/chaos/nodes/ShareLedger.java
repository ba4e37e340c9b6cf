package io.catchment.chaos.nodes;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation.Kind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Holds what members journaled against what was written: each record is delivered and in the end done with, and what somebody was told is done with
 * comes to nobody again. Used by one thread.
 */
final class ShareLedger {
    /** A member may still have records in its hands that were taken from it, for about this long. */
    private static final long STALE_MS = 10_000;

    /** Of a topic's record. */
    record Place(int partition, long offset) {}

    private static final class Fate {
        int deliveries;
        long lastDeliveryMs;
        int lastCrew;
        boolean accepted;
        long doneMs = Long.MAX_VALUE;
        int doneInDelivery = Integer.MAX_VALUE;
    }

    private final Verdict verdict;
    private final Map<Place, Fate> fates = new HashMap<>();
    private final Map<Integer, Long> killedMs = new HashMap<>();
    private long deliveries;

    ShareLedger(Verdict verdict) {
        this.verdict = verdict;
    }

    /** @param crew number of the process; each start is another one */
    void enter(int crew, List<ShareJournal.Line> lines) {
        for (ShareJournal.Line line : lines) {
            Fate fate = fates.computeIfAbsent(new Place(line.partition(), line.offset()), place -> new Fate());
            switch (line.kind()) {
                case DELIVERED -> {
                    deliveries++;
                    fate.deliveries++;
                    if (line.atMs() >= fate.lastDeliveryMs) {
                        fate.lastDeliveryMs = line.atMs();
                        fate.lastCrew = crew;
                    }
                    // Journals of several processes are read one after the other: both orders are met
                    checkNotAfterDone(line, fate, line.deliveryCount(), line.atMs());
                }
                case ACCEPTED -> fate.accepted = true;
                case DONE -> {
                    fate.doneMs = Math.min(fate.doneMs, line.atMs());
                    fate.doneInDelivery = Math.min(fate.doneInDelivery, line.deliveryCount());
                    checkNotAfterDone(line, fate, 0, fate.lastDeliveryMs);
                }
            }
        }
    }

    private void checkNotAfterDone(ShareJournal.Line line, Fate fate, int deliveryCount, long askedMs) {
        boolean delivered = deliveryCount > fate.doneInDelivery && askedMs > fate.doneMs;
        boolean late = fate.doneMs != Long.MAX_VALUE && askedMs > fate.doneMs + STALE_MS;
        if (delivered || late) {
            verdict.violation(
                    Kind.DUPLICATED,
                    "%d@%d was done with at %d in delivery %d, and delivered again at %d"
                            .formatted(line.partition(), line.offset(), fate.doneMs, fate.doneInDelivery, askedMs));
        }
    }

    void killed(int crew, long atMs) {
        killedMs.put(crew, atMs);
    }

    /**
     * A member has worked on it and acknowledged it, whether or not it was told that this holds: the answer may be lost with a node. Or a process had it
     * when it was killed, which may have done so.
     */
    boolean isDecided(Place place) {
        Fate fate = fates.get(place);
        if (fate == null) {
            return false;
        }
        Long killed = killedMs.get(fate.lastCrew);
        return fate.accepted || (killed != null && fate.lastDeliveryMs > killed - STALE_MS);
    }

    List<Place> undecided(Set<Place> written) {
        return written.stream().filter(place -> !isDecided(place)).limit(10).toList();
    }

    long deliveries() {
        return deliveries;
    }

    /** Records that came more than once. */
    long redelivered() {
        return fates.values().stream().filter(fate -> fate.deliveries > 1).count();
    }

    long done() {
        return fates.values().stream()
                .filter(fate -> fate.doneMs != Long.MAX_VALUE)
                .count();
    }
}
