package io.catchment.broker.extents;

import io.catchment.broker.loop.Attempt;
import io.catchment.broker.loop.Backoff;
import io.catchment.broker.loop.SerialLoop;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Owned by the keeper's loop. Work on extents: one piece of it per extent at a time, so many at once, and pauses that grow while it
 * fails.
 */
final class Attempts {
    private static final long FIRST_PAUSE_MS = 250;
    private static final long LONGEST_PAUSE_MS = 10_000;
    /** After so many failures it is not claimed any more, so that another node gets its chance. */
    private static final int CLAIMED_FAILURES = 5;
    /** The same after so long without an end: a disk that stands still answers nothing at all. */
    private static final long CLAIMED_MS = 600_000;

    private final SerialLoop loop;
    private final RandomGenerator random;
    private final int atOnce;
    private final Runnable look;
    private final Map<Long, Long> underWaySinceNanos = new HashMap<>();
    private final Map<Long, Backoff> backoffs = new HashMap<>();
    private final Map<Long, Long> notBeforeNanos = new HashMap<>();

    /** @param look called on the loop after each end of a piece of work, and after each pause */
    Attempts(SerialLoop loop, RandomGenerator random, int atOnce, Runnable look) {
        this.loop = loop;
        this.random = random;
        this.atOnce = atOnce;
        this.look = look;
    }

    boolean mayStart(long extentId) {
        Long notBefore = notBeforeNanos.get(extentId);
        return underWaySinceNanos.size() < atOnce
                && !underWaySinceNanos.containsKey(extentId)
                && (notBefore == null || loop.nanoTime() - notBefore >= 0);
    }

    /** One of {@code done} and {@code failed} is called on the loop in the end; the latter has to call {@link #pause} to slow down. */
    <T> void start(long extentId, Supplier<CompletionStage<T>> work, Consumer<T> done, Consumer<Throwable> failed) {
        underWaySinceNanos.put(extentId, loop.nanoTime());
        Attempt.of(work)
                .whenComplete((value, failure) -> loop.execute(() -> {
                    underWaySinceNanos.remove(extentId);
                    if (failure == null) {
                        done.accept(value);
                    } else {
                        failed.accept(cause(failure));
                    }
                    look.run();
                }));
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    /** It failed once more. True if that is worth a line in the log: the first time and each twentieth after it. */
    boolean pause(long extentId) {
        Backoff backoff =
                backoffs.computeIfAbsent(extentId, id -> new Backoff(FIRST_PAUSE_MS, LONGEST_PAUSE_MS, random));
        long waitMs = backoff.failedMs();
        notBeforeNanos.put(extentId, loop.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs));
        loop.schedule(look, waitMs);
        return backoff.isWorthALine();
    }

    /** Something has changed that may help: pauses are over. */
    void retryNow() {
        notBeforeNanos.clear();
    }

    void succeeded(long extentId) {
        backoffs.remove(extentId);
        notBeforeNanos.remove(extentId);
    }

    int failures(long extentId) {
        Backoff backoff = backoffs.get(extentId);
        return backoff == null ? 0 : backoff.failures();
    }

    /** Whether this node can say that it works on it: not where it gets nowhere. */
    boolean isClaimed(long extentId) {
        Long since = underWaySinceNanos.get(extentId);
        boolean hangs = since != null && loop.nanoTime() - since >= TimeUnit.MILLISECONDS.toNanos(CLAIMED_MS);
        return !hangs && failures(extentId) < CLAIMED_FAILURES;
    }

    boolean isUnderWay(long extentId) {
        return underWaySinceNanos.containsKey(extentId);
    }

    /** Of others nothing is remembered, but for what is under way. */
    void forgetAllBut(Collection<Long> extentIds) {
        backoffs.keySet().removeIf(id -> !extentIds.contains(id) && !underWaySinceNanos.containsKey(id));
        notBeforeNanos.keySet().retainAll(backoffs.keySet());
    }
}
