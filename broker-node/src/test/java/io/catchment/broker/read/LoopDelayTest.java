package io.catchment.broker.read;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LoopDelayTest {
    private static final int MAX = 12;
    private static final long LATE = TimeUnit.MILLISECONDS.toNanos(8);

    private long now = 17;
    private final LoopDelay delay = new LoopDelay(List.of(), () -> now);
    private int watch = 1;

    /** A tenth of a second of one loop's looks. */
    private void window(int lateLooks) {
        for (int i = 0; i < 10; i++) {
            now += TimeUnit.MILLISECONDS.toNanos(10);
            delay.looked(i < lateLooks ? LATE : 0, watch);
        }
        delay.loads(MAX);
    }

    @Test
    void withoutDelayAllMayRun() {
        assertThat(delay.loads(MAX)).isEqualTo(MAX);
        for (int i = 0; i < 10; i++) {
            window(1);
        }
        assertThat(delay.loads(MAX)).isEqualTo(MAX);
    }

    @Test
    void lateLoopsHalveTheRoomDownToOneLoad() {
        delay.loads(MAX);
        window(5);
        assertThat(delay.loads(MAX)).isEqualTo(6);
        window(5);
        assertThat(delay.loads(MAX)).isEqualTo(3);
        for (int i = 0; i < 5; i++) {
            window(11);
        }
        assertThat(delay.loads(MAX)).as("they get on").isEqualTo(1);
    }

    @Test
    void punctualLoopsGiveRoomBackOneLoadAfterTheOther() {
        delay.loads(MAX);
        for (int i = 0; i < 5; i++) {
            window(11);
        }
        for (int loads = 2; loads <= MAX; loads++) {
            window(0);
            window(0);
            window(0);
            assertThat(delay.loads(MAX)).isEqualTo(loads);
        }
        window(0);
        assertThat(delay.loads(MAX)).isEqualTo(MAX);
    }

    @Test
    void whenNobodyCatchesUpItLooksNoMoreAndForgets() {
        delay.loads(MAX);
        window(11);
        now += TimeUnit.SECONDS.toNanos(3);
        assertThat(delay.looked(0, watch)).as("looks on").isFalse();
        assertThat(delay.loads(MAX)).isEqualTo(MAX);
        assertThat(delay.looked(LATE, watch)).as("a look of the time before").isFalse();
    }
}
