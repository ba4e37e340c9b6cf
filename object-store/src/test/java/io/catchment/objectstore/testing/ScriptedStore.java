package io.catchment.objectstore.testing;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A memory store that misbehaves on command. Thread-safe. Faults are taken from a queue, one for each request; with none queued the {@code
 * standing} fault applies, if set.
 */
public final class ScriptedStore extends MemoryStore {
    /** What happens to one request. */
    public sealed interface Fault {}

    /** It fails at once, without effect. */
    public record Fail(RuntimeException failure) implements Fault {}

    /** The call itself throws. */
    public record Throw(Error error) implements Fault {}

    /** It is never answered; its body stays referenced until {@link #releaseHung}. */
    public record Hang() implements Fault {}

    /** It takes effect, and its answer comes with {@link #releaseHung}. */
    public record Late() implements Fault {}

    /** A read comes back changed. The operator gets the right bytes and owns them. */
    public record Garble(UnaryOperator<ByteBuf> change) implements Fault {}

    private final ArrayDeque<Fault> queue = new ArrayDeque<>();
    private final List<Runnable> hung = new ArrayList<>();
    private @Nullable Fault standing;
    public final AtomicInteger requests = new AtomicInteger();
    public final AtomicInteger underWay = new AtomicInteger();
    public final AtomicInteger underWayMax = new AtomicInteger();

    public synchronized void next(Fault... faults) {
        queue.addAll(List.of(faults));
    }

    public synchronized void always(@Nullable Fault fault) {
        standing = fault;
    }

    /** Answers what waits: late answers come, hung requests fail. */
    public void releaseHung() {
        List<Runnable> waiting;
        synchronized (this) {
            waiting = List.copyOf(hung);
            hung.clear();
        }
        waiting.forEach(Runnable::run);
    }

    public synchronized int hungCount() {
        return hung.size();
    }

    @Override
    public CompletionStage<Void> put(String key, ByteBuf body) {
        return played(() -> super.put(key, body), body::release);
    }

    @Override
    public CompletionStage<Void> putIfAbsent(String key, ByteBuf body) {
        return played(() -> super.putIfAbsent(key, body), body::release);
    }

    @Override
    public CompletionStage<ByteBuf> get(String key, long position, int length) {
        Fault fault = take();
        if (fault instanceof Garble garble) {
            return counted(super.get(key, position, length).thenApply(garble.change()));
        }
        return played(fault, () -> super.get(key, position, length), () -> {});
    }

    @Override
    public CompletionStage<Void> delete(List<String> keys) {
        return played(() -> super.delete(keys), () -> {});
    }

    @Override
    public CompletionStage<List<Listed>> list(String prefix) {
        return played(() -> super.list(prefix), () -> {});
    }

    private <T> CompletionStage<T> played(java.util.function.Supplier<CompletionStage<T>> real, Runnable drop) {
        return played(take(), real, drop);
    }

    private <T> CompletionStage<T> played(
            @Nullable Fault fault, java.util.function.Supplier<CompletionStage<T>> real, Runnable drop) {
        if (fault instanceof Fail fail) {
            drop.run();
            return counted(CompletableFuture.failedFuture(fail.failure()));
        }
        if (fault instanceof Throw thrown) {
            drop.run();
            throw thrown.error();
        }
        if (fault instanceof Hang) {
            CompletableFuture<T> never = new CompletableFuture<>();
            hold(() -> {
                drop.run();
                never.completeExceptionally(new IllegalStateException("hung to the end"));
            });
            return counted(never);
        }
        if (fault instanceof Late) {
            CompletableFuture<T> later = new CompletableFuture<>();
            CompletionStage<T> now = real.get();
            hold(() -> now.whenComplete((value, failure) -> {
                if (failure != null) {
                    later.completeExceptionally(failure);
                } else if (!later.complete(value) && value instanceof ByteBuf buffer) {
                    buffer.release();
                }
            }));
            return counted(later);
        }
        return counted(real.get());
    }

    private synchronized void hold(Runnable end) {
        hung.add(end);
    }

    private synchronized @Nullable Fault take() {
        requests.incrementAndGet();
        Fault next = queue.poll();
        return next == null ? standing : next;
    }

    private <T> CompletionStage<T> counted(CompletionStage<T> stage) {
        int now = underWay.incrementAndGet();
        underWayMax.accumulateAndGet(now, Math::max);
        stage.whenComplete((value, failure) -> underWay.decrementAndGet());
        return stage;
    }
}
