package io.catchment.objectstore.retry;

import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import io.catchment.objectstore.retry.StoreListener.Operation;
import io.catchment.objectstore.retry.StoreListener.Outcome;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Thread-safe. Any store with a timeout on each attempt, retries of what may heal, a circuit breaker and figures. A store that wants fewer requests gets
 * them one by one, at a growing distance ({@link Pace}). Nothing else queues here, and how many requests there are at a time is the caller's to
 * bound (the transfer package does); while the circuit is open, or where a turn is too far away, they fail.
 *
 * <p>{@code putIfAbsent} is not retried: after an attempt whose fate is unknown ALREADY_EXISTS could mean this caller itself.
 */
public final class RetryingStore implements ObjectStore {
    private final ObjectStore store;
    private final RetryPolicy policy;
    private final ScheduledExecutorService timer;
    private final LongSupplier nanoTime;
    private final RandomGenerator random;
    private final StoreListener listener;
    private final CircuitBreaker breaker;
    private final Pace pace;

    /**
     * @param timer not closed here
     * @param nanoTime monotonic
     * @param random thread-safe or used from one thread only
     */
    public RetryingStore(
            ObjectStore store,
            RetryPolicy policy,
            ScheduledExecutorService timer,
            LongSupplier nanoTime,
            RandomGenerator random,
            StoreListener listener) {
        this.store = store;
        this.policy = policy;
        this.timer = timer;
        this.nanoTime = nanoTime;
        this.random = random;
        this.listener = listener;
        this.breaker = new CircuitBreaker(policy, nanoTime, random, listener);
        this.pace = new Pace(random);
    }

    @Override
    public CompletionStage<Void> put(String key, ByteBuf body) {
        long bytes = body.readableBytes();
        // Each attempt gets a view of its own: an abandoned one may still be reading when the next begins.
        Call<Void> call = new Call<>(
                Operation.PUT,
                bytes,
                policy.attemptsMax(),
                () -> store.put(key, body.retainedDuplicate()),
                nothing -> {});
        return started(call, body);
    }

    @Override
    public CompletionStage<Void> putIfAbsent(String key, ByteBuf body) {
        long bytes = body.readableBytes();
        Call<Void> call = new Call<>(
                Operation.PUT_IF_ABSENT,
                bytes,
                1,
                () -> store.putIfAbsent(key, body.retainedDuplicate()),
                nothing -> {});
        return started(call, body);
    }

    @Override
    public CompletionStage<ByteBuf> get(String key, long position, int length) {
        return new Call<>(
                        Operation.GET,
                        length,
                        policy.attemptsMax(),
                        () -> store.get(key, position, length),
                        ByteBuf::release)
                .start();
    }

    @Override
    public CompletionStage<Void> delete(List<String> keys) {
        return new Call<Void>(Operation.DELETE, 0, policy.attemptsMax(), () -> store.delete(keys), nothing -> {})
                .start();
    }

    @Override
    public CompletionStage<List<Listed>> list(String prefix) {
        return new Call<>(Operation.LIST, 0, policy.attemptsMax(), () -> store.list(prefix), nothing -> {}).start();
    }

    @Override
    public int requestsOfPut(long bytes) {
        return store.requestsOfPut(bytes);
    }

    @Override
    public void close() {
        store.close();
    }

    private static CompletionStage<Void> started(Call<Void> call, ByteBuf body) {
        CompletableFuture<Void> result = call.start();
        return result.whenComplete((nothing, failure) -> body.release());
    }

    /** One request with its attempts. Its fields change only between one attempt and the next. */
    private final class Call<T> {
        private final Operation operation;
        private final long bytes;
        private final int attemptsMax;
        private final Supplier<CompletionStage<T>> send;
        private final Consumer<T> discard;
        private final CompletableFuture<T> result = new CompletableFuture<>();
        private int attempt;

        /** @param discard frees an answer that came too late */
        Call(Operation operation, long bytes, int attemptsMax, Supplier<CompletionStage<T>> send, Consumer<T> discard) {
            this.operation = operation;
            this.bytes = bytes;
            this.attemptsMax = attemptsMax;
            this.send = send;
            this.discard = discard;
        }

        CompletableFuture<T> start() {
            attempt();
            return result;
        }

        private void attempt() {
            attempt++;
            long waitNanos =
                    pace.takeNanos(nanoTime.getAsLong(), TimeUnit.MILLISECONDS.toNanos(policy.attemptTimeoutMs()));
            if (waitNanos < 0) {
                notSent(Reason.THROTTLED, "the object store wants fewer requests than wait already");
            } else if (waitNanos == 0) {
                send();
            } else {
                ScheduledFuture<?> unused = timer.schedule(this::send, waitNanos, TimeUnit.NANOSECONDS);
            }
        }

        private void send() {
            long pass = breaker.tryPass();
            if (pass < 0) {
                // Its callers retry later; waiting here for the store to come back would only collect requests.
                notSent(Reason.TRANSIENT, "the object store keeps failing: not asked for the moment (circuit open)");
                return;
            }
            if (attempt > 1) {
                listener.again(operation, bytes);
            }
            long started = nanoTime.getAsLong();
            CompletableFuture<T> once = new CompletableFuture<>();
            CompletableFuture<?> unused = once.whenComplete((value, failure) -> ended(pass, started, value, failure));
            CompletionStage<T> sent;
            try {
                sent = send.get();
            } catch (RuntimeException refused) {
                once.completeExceptionally(refused);
                return;
            } catch (OutOfMemoryError want) {
                // Of threads, too. A probe that nobody ends would keep the circuit open for ever
                once.completeExceptionally(new ObjectStoreException(
                        Reason.TRANSIENT, "no memory or no thread for it: " + want.getMessage(), want));
                return;
            }
            ScheduledFuture<?> timeout =
                    timer.schedule(() -> timeOut(once, sent), policy.timeoutMs(bytes), TimeUnit.MILLISECONDS);
            sent.whenComplete((value, failure) -> {
                timeout.cancel(false);
                boolean inTime = failure == null ? once.complete(value) : once.completeExceptionally(failure);
                if (!inTime && failure == null) {
                    discard.accept(value);
                }
            });
        }

        private void notSent(Reason reason, String why) {
            listener.attempted(operation, Outcome.NOT_SENT, 0, 0, 0, attempt);
            finish(null, new ObjectStoreException(reason, why, null));
        }

        private void timeOut(CompletableFuture<T> once, CompletionStage<T> sent) {
            long ms = policy.timeoutMs(bytes);
            if (once.completeExceptionally(new TimedOut(operation + " got no answer within " + ms + " ms"))) {
                sent.toCompletableFuture().cancel(true);
            }
        }

        private void ended(long pass, long started, @Nullable T value, @Nullable Throwable failure) {
            long nanos = nanoTime.getAsLong() - started;
            if (failure == null) {
                breaker.succeeded();
                paced(pace::succeeded);
                listener.attempted(operation, Outcome.OK, requestCount(), bytes, nanos, attempt);
                finish(value, null);
                return;
            }
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            ObjectStoreException known = explain(cause);
            listener.attempted(operation, outcome(cause, known), requestCount(), 0, nanos, attempt);
            if (known.reason() == Reason.THROTTLED) {
                paced(() -> pace.throttled(nanoTime.getAsLong()));
            }
            if (known.retriable() || known.reason() == Reason.REFUSED) {
                breaker.failed(pass);
            } else {
                breaker.succeeded();
            }
            if (known.retriable() && attempt < attemptsMax) {
                long waitMs = random.nextLong(policy.backoffMs(attempt)) + 1;
                ScheduledFuture<?> unused = timer.schedule(this::attempt, waitMs, TimeUnit.MILLISECONDS);
            } else {
                finish(null, known);
            }
        }

        private int requestCount() {
            return operation == Operation.PUT ? store.requestsOfPut(bytes) : 1;
        }

        private void finish(@Nullable T value, @Nullable ObjectStoreException failure) {
            if (failure != null) {
                result.completeExceptionally(failure);
            } else if (!complete(value)) {
                discardLate(value);
            }
        }

        @SuppressWarnings("NullAway") // a Void answer is null
        private boolean complete(@Nullable T value) {
            return result.complete(value);
        }

        private void discardLate(@Nullable T value) {
            if (value != null) {
                discard.accept(value);
            }
        }
    }

    private void paced(Runnable change) {
        long before = pace.distanceMs();
        change.run();
        long after = pace.distanceMs();
        if (before != after) {
            listener.paced(after);
        }
    }

    private static ObjectStoreException explain(Throwable cause) {
        if (cause instanceof ObjectStoreException known) {
            return known;
        }
        boolean timedOut = cause instanceof TimedOut;
        return new ObjectStoreException(
                timedOut ? Reason.TRANSIENT : Reason.REFUSED,
                timedOut ? String.valueOf(cause.getMessage()) : cause.toString(),
                cause);
    }

    private static Outcome outcome(Throwable cause, ObjectStoreException known) {
        if (cause instanceof TimedOut) {
            return Outcome.TIMEOUT;
        }
        return switch (known.reason()) {
            case NOT_FOUND -> Outcome.NOT_FOUND;
            case ALREADY_EXISTS -> Outcome.ALREADY_EXISTS;
            case TRANSIENT -> Outcome.UNAVAILABLE;
            case THROTTLED -> Outcome.THROTTLED;
            case CREDENTIALS -> Outcome.CREDENTIALS;
            case REFUSED -> Outcome.REFUSED;
            case CORRUPT -> Outcome.CORRUPT;
        };
    }

    private static final class TimedOut extends RuntimeException {
        private static final long serialVersionUID = 1L;

        TimedOut(String message) {
            super(message, null, false, false);
        }
    }
}
