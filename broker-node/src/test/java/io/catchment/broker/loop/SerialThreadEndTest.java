package io.catchment.broker.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SerialThreadEndTest {
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);
    private final CompletableFuture<Boolean> interrupted = new CompletableFuture<>();

    private void step() {
        begun.countDown();
        try {
            goOn.await();
            interrupted.complete(Thread.interrupted());
        } catch (InterruptedException e) {
            interrupted.complete(true);
        }
    }

    private boolean isInterruptedByItsEnd(SerialThread thread) throws Exception {
        thread.execute(this::step);
        assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
        thread.close();
        goOn.countDown();
        return interrupted.get(20, TimeUnit.SECONDS);
    }

    @Test
    void theEndOfOneThatReadsFilesClosesNone() throws Exception {
        assertThat(isInterruptedByItsEnd(SerialThread.readingFiles("files"))).isFalse();
    }

    @Test
    void theEndOfOthersDoesNotWaitForThem() throws Exception {
        assertThat(isInterruptedByItsEnd(new SerialThread("others"))).isTrue();
    }
}
