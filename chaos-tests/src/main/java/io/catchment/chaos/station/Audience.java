package io.catchment.chaos.station;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Checks every record of a fleet: each site's readings complete, once, in order, in one partition, with the event time and the very
 * bytes that were sent. Guarded by its own lock: the members of a group share it.
 */
final class Audience {
    private final Fleet fleet;
    private final Verdict verdict;
    private final long[] next;
    private final Map<Integer, Integer> partitionOf = new HashMap<>();
    private long heard;

    Audience(Fleet fleet, Verdict verdict) {
        this.fleet = fleet;
        this.verdict = verdict;
        this.next = new long[fleet.sites().size()];
    }

    synchronized void hear(
            int partition, long offset, long timestampMs, byte @Nullable [] key, byte @Nullable [] value) {
        heard++;
        String where = "partition " + partition + " offset " + offset;
        int number = key == null ? -1 : Site.numberOf(new String(key, StandardCharsets.UTF_8));
        if (number < 0 || number >= next.length) {
            verdict.violation(Violation.Kind.INVENTED, where + ": no site of this fleet");
            return;
        }
        Site site = fleet.sites().get(number);
        Integer before = partitionOf.putIfAbsent(number, partition);
        if (before != null && before != partition) {
            verdict.violation(Violation.Kind.REORDERED, where + ": " + site.key() + " was in partition " + before);
        }
        // which reading it is follows from its event time; sites pace evenly
        long n = Math.floorDiv(timestampMs - site.eventTimeMs(fleet.startMs(), 0), site.paceMs());
        long expected = next[number];
        if (n != expected) {
            Violation.Kind kind = n < expected ? Violation.Kind.DUPLICATED : Violation.Kind.LOST;
            verdict.violation(kind, where + ": reading " + n + " of " + site.key() + ", expected " + expected);
        }
        if (n < 0 || n >= site.countIn(fleet.hours()) || site.eventTimeMs(fleet.startMs(), n) != timestampMs) {
            verdict.violation(Violation.Kind.INVENTED, where + ": " + site.key() + " has no reading at " + timestampMs);
        } else if (!Arrays.equals(value, site.value(fleet.startMs(), n))) {
            verdict.violation(
                    Violation.Kind.CORRUPTED, where + ": reading " + n + " of " + site.key() + " has other bytes");
        }
        next[number] = Math.max(expected, n + 1);
    }

    synchronized long heard() {
        return heard;
    }

    synchronized boolean complete() {
        for (Site site : fleet.sites()) {
            if (next[site.number()] < site.countIn(fleet.hours())) {
                return false;
            }
        }
        return true;
    }

    /** When no more will come: what is missing at the end of each site is lost. */
    synchronized void finish() {
        for (Site site : fleet.sites()) {
            long count = site.countIn(fleet.hours());
            if (next[site.number()] < count) {
                verdict.violation(
                        Violation.Kind.LOST,
                        site.key() + ": heard up to " + next[site.number()] + " of " + count + " readings");
            }
        }
    }
}
