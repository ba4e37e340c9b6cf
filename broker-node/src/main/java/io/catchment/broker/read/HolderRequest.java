package io.catchment.broker.read;

import io.catchment.wal.CorruptExtentException;
import io.catchment.wal.StoreRef;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One question to the holders of an extent, one after the other until one gives a good answer. Its steps run one after the other, so
 * the state needs no lock. A holder that does not answer in time is passed over; what it brings later is released.
 */
final class HolderRequest<T> {
    private final String what;
    private final Iterator<StoreRef> holders;
    private final HolderOrder order;
    private final long timeoutMs;
    private final Function<StoreRef, CompletionStage<T>> request;
    private final Predicate<T> good;
    private final Consumer<T> release;
    private final CompletableFuture<Answer<T>> result = new CompletableFuture<>();
    private final List<String> failures = new ArrayList<>();
    private @Nullable Answer<T> poor;

    /** What a holder said. */
    record Answer<T>(StoreRef holder, T value) {}

    /**
     * @param what is asked, for the message when nobody answers
     * @param good whether an answer will do; the last one that will not is the answer when none will
     * @param release of an answer that nobody gets
     */
    HolderRequest(
            String what,
            List<StoreRef> holders,
            HolderOrder order,
            long timeoutMs,
            Function<StoreRef, CompletionStage<T>> request,
            Predicate<T> good,
            Consumer<T> release) {
        this.what = what;
        this.holders = holders.iterator();
        this.order = order;
        this.timeoutMs = timeoutMs;
        this.request = request;
        this.good = good;
        this.release = release;
    }

    /** Fails with {@link IOException}, which says why each holder failed, when none answers. */
    CompletionStage<Answer<T>> ask() {
        next();
        return result;
    }

    private void next() {
        if (!holders.hasNext()) {
            finish();
            return;
        }
        StoreRef holder = holders.next();
        CompletionStage<T> bounded = bounded(holder);
        bounded.whenComplete((value, failure) -> {
            if (value == null) {
                failed(holder, failure);
            } else {
                answered(holder, value);
            }
        });
    }

    private CompletionStage<T> bounded(StoreRef holder) {
        CompletableFuture<T> bounded = new CompletableFuture<>();
        CompletionStage<T> answer;
        try {
            answer = request.apply(holder);
        } catch (RuntimeException | OutOfMemoryError e) {
            return CompletableFuture.failedStage(e);
        }
        answer.whenComplete((value, failure) -> {
            if (value == null) {
                bounded.completeExceptionally(failure == null ? new IOException("no answer") : failure);
            } else if (!bounded.complete(value)) {
                release.accept(value);
            }
        });
        return bounded.isDone() ? bounded : bounded.orTimeout(timeoutMs, TimeUnit.MILLISECONDS);
    }

    private void answered(StoreRef holder, T value) {
        order.answered(holder);
        Answer<T> answer = new Answer<>(holder, value);
        if (good.test(value)) {
            dropPoor();
            result.complete(answer);
            return;
        }
        dropPoor();
        poor = answer;
        next();
    }

    private void failed(StoreRef holder, @Nullable Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        boolean itself = cause instanceof NoSuchFileException || cause instanceof CorruptExtentException;
        if (!itself && (cause instanceof IOException || cause instanceof TimeoutException)) {
            order.failed(holder);
        }
        failures.add(holder + ": " + cause);
        next();
    }

    private void finish() {
        Answer<T> answer = poor;
        if (answer != null) {
            poor = null;
            result.complete(answer);
        } else {
            result.completeExceptionally(new IOException(
                    what + ": " + (failures.isEmpty() ? "no other store has it" : String.join("; ", failures))));
        }
    }

    private void dropPoor() {
        if (poor != null) {
            release.accept(poor.value());
            poor = null;
        }
    }
}
