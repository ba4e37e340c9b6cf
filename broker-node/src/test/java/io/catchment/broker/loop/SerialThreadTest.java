package io.catchment.broker.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SerialThreadTest {
    private static final long DEADLINE_S = 30;

    private final SerialThread thread = new SerialThread("under-test");
    private final List<String> seen = new CopyOnWriteArrayList<>();
    private final CountDownLatch goOn = new CountDownLatch(1);

    @AfterEach
    void end() {
        goOn.countDown();
        thread.close();
    }

    @Test
    void whatIsHandedOverIsDroppedAfterTheStepThatRunsAtTheEnd() throws Exception {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch dropped = new CountDownLatch(2);
        thread.execute(() -> {
            running.countDown();
            awaitWhateverInterrupts(goOn);
            seen.add("step");
        });
        await(running);
        hand("before", dropped);
        thread.close();
        hand("after", dropped);
        assertThat(seen).isEmpty();

        goOn.countDown();
        await(dropped);
        assertThat(seen).hasSize(3).startsWith("step").contains("before dropped", "after dropped");
    }

    @Test
    void whatIsHandedOverAfterTheEndIsDroppedAtOnce() {
        thread.close();
        CountDownLatch dropped = new CountDownLatch(1);
        hand("late", dropped);
        assertThat(seen).containsExactly("late dropped");
    }

    @Test
    void whatWasTakenIsNotDropped() throws Exception {
        CountDownLatch taken = new CountDownLatch(1);
        thread.execute(taken::countDown, () -> seen.add("dropped"));
        await(taken);
        thread.close();
        CountDownLatch over = new CountDownLatch(1);
        hand("last", over);
        await(over);
        assertThat(seen).containsExactly("last dropped");
    }

    private void hand(String what, CountDownLatch dropped) {
        thread.execute(() -> seen.add(what + " taken"), () -> {
            seen.add(what + " dropped");
            dropped.countDown();
        });
    }

    private static void await(CountDownLatch latch) throws InterruptedException {
        assertThat(latch.await(DEADLINE_S, TimeUnit.SECONDS)).isTrue();
    }

    private static void awaitWhateverInterrupts(CountDownLatch latch) {
        while (true) {
            try {
                await(latch);
                return;
            } catch (InterruptedException closing) {
                // As a step does that does not wait
            }
        }
    }
}
