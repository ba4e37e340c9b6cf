package io.catchment.broker.flush;

import io.catchment.broker.loop.Backoff;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.ExtentState;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owned by the flush loop. Extents that fail for a reason of their own rest, longer each time, while others go on: what cannot be read or built, what
 * the control plane refuses, and what the store refuses again and again while it takes others.
 */
final class StuckExtents {
    private static final Logger LOG = LoggerFactory.getLogger(StuckExtents.class);
    private static final long RETRY_MS_MAX = 60_000;
    /** An extent that the control plane has just sealed may not be closed on the local disk yet: no reason to call a person. */
    private static final int LOUD_AT_FAILURE = 3;
    /** While the store fails, another extent gets its chance after so many failures of one, then after twice as many, and so on. */
    private static final int TRIES_IN_A_ROW = 3;

    private record Refused(ExtentState extent, FlushFailure last, int times) {}

    private final SerialLoop loop;
    private final FlushSettings settings;
    private final RandomGenerator random;
    private final Runnable look;
    private final Map<Long, Backoff> backoffs = new HashMap<>();
    private final Map<Long, Long> restingUntilNanos = new HashMap<>();
    /** By the store, since it took them or their trouble was found to be their own. */
    private final Map<Long, Refused> refused = new HashMap<>();
    /** Refused while others were too, before the store worked again: mostly that was an outage, so each is tried once more at once. */
    private final Set<Long> suspects = new HashSet<>();

    /** @param look called on the loop after each rest */
    StuckExtents(SerialLoop loop, FlushSettings settings, RandomGenerator random, Runnable look) {
        this.loop = loop;
        this.settings = settings;
        this.random = random;
        this.look = look;
    }

    boolean rests(long extentId) {
        Long until = restingUntilNanos.get(extentId);
        return until != null && loop.nanoTime() - until < 0;
    }

    /** The trouble is this extent's own. */
    void rest(ExtentState extent, FlushFailure failure) {
        Backoff backoff = backoffs.computeIfAbsent(
                extent.extentId(), id -> new Backoff(settings.backoffMs(), RETRY_MS_MAX, random));
        long waitMs = backoff.failedMs();
        restingUntilNanos.put(extent.extentId(), loop.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs));
        loop.schedule(look, waitMs);
        if (backoff.failures() == LOUD_AT_FAILURE || backoff.failures() % 20 == 0) {
            LOG.error(
                    "Extent {} cannot be flushed ({}, attempt {}): {}. It stays in the WAL and is tried again; later data of its streams waits for it, other streams go on",
                    extent.extentId(),
                    failure.stage(),
                    backoff.failures(),
                    failure.getCause() == null
                            ? failure.toString()
                            : failure.getCause().toString());
        }
    }

    /** Whose trouble it is shows when the store takes another one. */
    void storeRefused(ExtentState extent, FlushFailure failure) {
        if (suspects.remove(extent.extentId()) || loud().contains(extent.extentId())) {
            rest(extent, failure);
            return;
        }
        refused.merge(
                extent.extentId(),
                new Refused(extent, failure, 1),
                (before, now) -> new Refused(extent, failure, before.times() + 1));
    }

    /** The store works: those that it has refused several times in a row have a trouble of their own. */
    void storeTook(long extentId) {
        refused.remove(extentId);
        suspects.remove(extentId);
        boolean outage = refused.size() > 1;
        for (Refused one : Set.copyOf(refused.values())) {
            long id = one.extent().extentId();
            boolean again = backoffs.containsKey(id);
            if (again || one.times() >= TRIES_IN_A_ROW) {
                refused.remove(id);
                if (outage && !again) {
                    suspects.add(id);
                } else {
                    rest(one.extent(), one.last());
                }
            }
        }
    }

    /**
     * Lower ones first, while the store fails. Mostly it is the store, and then few extents are tried in turns, since each takes an id; but the longer
     * it lasts the more get their chance. What is more urgent than all of those goes first.
     */
    int round(ExtentState extent) {
        Refused known = refused.get(extent.extentId());
        if (known != null) {
            return 32 - Integer.numberOfLeadingZeros(known.times() / TRIES_IN_A_ROW);
        }
        boolean moreUrgent = refused.values().stream()
                .allMatch(one -> extent.lane() < one.extent().lane());
        return moreUrgent ? -1 : refused.size() / 2;
    }

    /** Those that a person should look at. */
    Set<Long> loud() {
        return backoffs.entrySet().stream()
                .filter(each -> each.getValue().failures() >= LOUD_AT_FAILURE)
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }

    void forgetAllBut(Collection<Long> extentIds) {
        backoffs.keySet().retainAll(extentIds);
        restingUntilNanos.keySet().retainAll(extentIds);
        refused.keySet().retainAll(extentIds);
        suspects.retainAll(extentIds);
    }

    String describe() {
        Map<Long, Long> rests = new HashMap<>();
        restingUntilNanos.forEach((id, until) -> rests.put(id, TimeUnit.NANOSECONDS.toMillis(until - loop.nanoTime())));
        return "resting for ms " + rests + ", refused by the store " + refused.keySet();
    }
}
