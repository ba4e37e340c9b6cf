package io.catchment.broker.near;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.testing.ManualLoop;
import java.util.ArrayDeque;
import java.util.function.BooleanSupplier;

/** One thread of a simulated node, on the simulation's clock. It may hang: then steps wait in order until {@link #goOn}. */
final class SimLoop implements SerialLoop {
    private final ManualLoop time;
    private final BooleanSupplier hangs;
    private final ArrayDeque<Step> held = new ArrayDeque<>();
    private boolean closed;

    private static final class Step {
        private final Runnable run;
        private boolean cancelled;

        Step(Runnable run) {
            this.run = run;
        }
    }

    SimLoop(ManualLoop time, BooleanSupplier hangs) {
        this.time = time;
        this.hangs = hangs;
    }

    @Override
    public void execute(Runnable step) {
        schedule(step, 0);
    }

    @Override
    public void execute(Runnable step, Runnable dropped) {
        throw new UnsupportedOperationException("near nodes hand nothing over");
    }

    @Override
    public Scheduled schedule(Runnable run, long delayMs) {
        if (closed) {
            return () -> {};
        }
        Step step = new Step(run);
        Scheduled due = time.schedule(() -> begin(step), delayMs);
        return () -> {
            step.cancelled = true;
            due.cancel();
        };
    }

    private void begin(Step step) {
        if (hangs.getAsBoolean()) {
            held.add(step);
        } else if (!closed && !step.cancelled) {
            step.run.run();
        }
    }

    /** Steps that are due and wait. */
    int held() {
        return held.size();
    }

    void goOn() {
        while (!held.isEmpty() && !hangs.getAsBoolean()) {
            begin(held.remove());
        }
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
        closed = true;
        held.clear();
    }
}
