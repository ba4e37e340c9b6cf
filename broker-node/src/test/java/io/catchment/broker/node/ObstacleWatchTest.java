package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ObstacleWatchTest {
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final CountDownLatch passed = new CountDownLatch(1);

    @AfterEach
    void stop() {
        timer.shutdownNow();
    }

    @Test
    void itTellsWhenNothingStandsInTheWayAnyMore() throws InterruptedException {
        AtomicInteger looks = new AtomicInteger();
        AtomicInteger looksWhenPassed = new AtomicInteger();
        try (ObstacleWatch watch =
                new ObstacleWatch(timer, () -> looks.incrementAndGet() < 3 ? List.of("extent 7") : List.of(), () -> {
                    looksWhenPassed.compareAndSet(0, looks.get());
                    passed.countDown();
                })) {
            assertThat(watch).isNotNull();
            assertThat(passed.await(60, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(looksWhenPassed).hasValue(3);
    }
}
