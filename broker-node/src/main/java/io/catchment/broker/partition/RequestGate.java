package io.catchment.broker.partition;

import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** Lets so many requests be under way at a time; the others wait in order. Guarded by its lock; thread-safe. */
final class RequestGate {
    private final int underWayMax;
    private final Object lock = new Object();
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    private int underWay;

    RequestGate(int underWayMax) {
        this.underWayMax = underWayMax;
    }

    /** Makes the request now, or on the thread that ends the one before it. */
    <T> CompletionStage<T> run(Supplier<CompletionStage<T>> request) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Runnable begin = () -> begin(request, result);
        synchronized (lock) {
            if (underWay == underWayMax) {
                waiting.add(begin);
                return result;
            }
            underWay++;
        }
        begin.run();
        return result;
    }

    private <T> void begin(Supplier<CompletionStage<T>> request, CompletableFuture<T> result) {
        CompletionStage<T> answer;
        try {
            answer = request.get();
        } catch (RuntimeException e) {
            answer = CompletableFuture.failedStage(e);
        }
        answer.whenComplete((value, failure) -> {
            ended();
            if (failure == null) {
                result.complete(value);
            } else {
                result.completeExceptionally(failure);
            }
        });
    }

    private void ended() {
        Runnable next;
        synchronized (lock) {
            next = waiting.poll();
            if (next == null) {
                underWay--;
            }
        }
        if (next != null) {
            next.run();
        }
    }
}
