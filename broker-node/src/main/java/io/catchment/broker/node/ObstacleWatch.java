package io.catchment.broker.node;

import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Waits until nothing stands in the way any more of an epoch that serves nothing: the work on it goes on, and what could not be had (of a disk that
 * failed once, of an object store that was away) may be had later. Immutable.
 */
final class ObstacleWatch implements AutoCloseable {
    static final long LOOK_MS = 1_000;

    private final ScheduledFuture<?> looking;

    /** @param passed called, maybe more than once, when there is nothing left */
    ObstacleWatch(ScheduledExecutorService timer, Supplier<List<String>> obstacles, Runnable passed) {
        looking = timer.scheduleWithFixedDelay(
                () -> {
                    if (obstacles.get().isEmpty()) {
                        passed.run();
                    }
                },
                LOOK_MS,
                LOOK_MS,
                TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        looking.cancel(false);
    }
}
