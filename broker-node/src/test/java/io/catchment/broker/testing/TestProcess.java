package io.catchment.broker.testing;

import io.catchment.broker.loop.SerialLoop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** One life of the node between two crashes: after its end nothing it asked for is answered and none of its steps runs. Owned by the test's thread. */
public final class TestProcess implements SerialLoop {
    private final ManualLoop time;
    private boolean alive = true;

    public TestProcess(ManualLoop time) {
        this.time = time;
    }

    public void crash() {
        alive = false;
    }

    public boolean alive() {
        return alive;
    }

    /** A stage that is completed after a while, by {@code answer}, if this process still lives then. */
    public <T> CompletionStage<T> later(long delayMs, Consumer<CompletableFuture<T>> answer) {
        CompletableFuture<T> result = new CompletableFuture<>();
        time.schedule(
                () -> {
                    if (alive) {
                        answer.accept(result);
                    }
                },
                delayMs);
        return result;
    }

    @Override
    public void execute(Runnable step) {
        schedule(step, 0);
    }

    @Override
    public void execute(Runnable step, Runnable dropped) {
        time.schedule(() -> (alive ? step : dropped).run(), 0);
    }

    @Override
    public Scheduled schedule(Runnable step, long delayMs) {
        return time.schedule(
                () -> {
                    if (alive) {
                        step.run();
                    }
                },
                delayMs);
    }

    @Override
    public long nanoTime() {
        return time.nanoTime();
    }

    @Override
    public long wallClockMs() {
        return time.wallClockMs();
    }

    @Override
    public void close() {
        alive = false;
    }
}
