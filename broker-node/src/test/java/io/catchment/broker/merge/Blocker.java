package io.catchment.broker.merge;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A step that ends when a test wants it to, and not when it is interrupted. */
final class Blocker implements Runnable {
    private static final long DEADLINE_S = 30;

    private final CountDownLatch running = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);

    @Override
    public void run() {
        running.countDown();
        while (true) {
            try {
                if (!ended.await(DEADLINE_S, TimeUnit.SECONDS)) {
                    throw new AssertionError("nobody ended the step");
                }
                return;
            } catch (InterruptedException closing) {
                // As a step does that does not wait
            }
        }
    }

    void awaitRunning() throws InterruptedException {
        if (!running.await(DEADLINE_S, TimeUnit.SECONDS)) {
            throw new AssertionError("the step does not run");
        }
    }

    void end() {
        ended.countDown();
    }
}
