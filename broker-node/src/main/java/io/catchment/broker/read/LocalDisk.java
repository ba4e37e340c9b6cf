package io.catchment.broker.read;

import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What reads ask of this node's disk, each for a bounded time. While something is unanswered for longer than that the disk counts as hung, and
 * nothing more is asked of it: so what waits for it, on whatever threads, is what came within that time. What it brings in the end
 * is released, and makes it well again. Both are logged once. Guarded by its lock.
 */
final class LocalDisk {
    private static final Logger LOG = LoggerFactory.getLogger(LocalDisk.class);

    private final long patienceMs;
    private boolean hangs;
    /** Without an answer, the oldest first. */
    private final LinkedHashSet<Asked> underWay = new LinkedHashSet<>();

    /** By identity. */
    private static final class Asked {
        final long sinceNanos = System.nanoTime();
    }

    /** The disk does not answer: there is nothing wrong with what was asked for. */
    static final class HungException extends IOException {
        private static final long serialVersionUID = 1L;

        HungException(String message) {
            super(message);
        }
    }

    /** @param patienceMs 0: there is nobody else to ask, so answers are waited for however long they take */
    LocalDisk(long patienceMs) {
        this.patienceMs = patienceMs;
    }

    /**
     * Fails with {@link HungException} when there is no answer in time.
     *
     * @param release of an answer that nobody gets
     */
    <T> CompletionStage<T> ask(Supplier<CompletionStage<T>> question, Consumer<T> release) {
        if (patienceMs == 0) {
            return question.get();
        }
        Asked asked = new Asked();
        if (!begin(asked)) {
            return CompletableFuture.failedStage(new HungException("the disk of this node hangs"));
        }
        CompletionStage<T> answer;
        try {
            answer = question.get();
        } catch (RuntimeException | Error refused) {
            // Want of memory, too: what was never asked must not count as unanswered for ever
            end(asked);
            throw refused;
        }
        CompletableFuture<T> bounded = new CompletableFuture<>();
        answer.whenComplete((value, failure) -> {
            end(asked);
            if (failure != null) {
                bounded.completeExceptionally(failure);
            } else if (!bounded.complete(value)) {
                release.accept(value);
            }
        });
        if (bounded.isDone()) {
            return bounded;
        }
        return bounded.orTimeout(patienceMs, TimeUnit.MILLISECONDS).exceptionallyCompose(failure -> {
            boolean late = failure instanceof TimeoutException;
            if (late) {
                noteHung();
            }
            return CompletableFuture.failedStage(
                    late ? new HungException("no answer of this node's disk within " + patienceMs + " ms") : failure);
        });
    }

    /** Whether it may be asked. */
    private synchronized boolean begin(Asked asked) {
        if (!underWay.isEmpty()) {
            long oldest = underWay.iterator().next().sinceNanos;
            if (asked.sinceNanos - oldest >= TimeUnit.MILLISECONDS.toNanos(patienceMs)) {
                return false;
            }
        }
        underWay.add(asked);
        return true;
    }

    private synchronized void end(Asked asked) {
        underWay.remove(asked);
        if (hangs && underWay.isEmpty()) {
            hangs = false;
            LOG.info("This node's disk has answered all that it was asked and is read again");
        }
    }

    private synchronized void noteHung() {
        if (!hangs && !underWay.isEmpty()) {
            hangs = true;
            LOG.warn(
                    "This node's disk has not answered a read for {} ms: until it does, reads go to objects and to other nodes. See what ails the disk",
                    patienceMs);
        }
    }
}
