package io.catchment.broker.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TrustedClockTest {
    private long wallMs = 1_000_000;
    private long nanos;
    private final TrustedClock clock = new TrustedClock(() -> wallMs, () -> nanos);

    @Test
    void aClockThatIsPutRightSlowlyIsFollowed() {
        pass(3_600_000, 3_601_000);
        assertThat(clock.nowMs()).isEqualTo(4_601_000);
        pass(3_600_000, 3_300_001);
        assertThat(clock.nowMs()).isEqualTo(7_901_001);
    }

    @Test
    void aJumpIsNotFollowed() {
        pass(1_000, 1_000 + TimeUnit.DAYS.toMillis(400));
        assertThat(clock.nowMs()).isEqualTo(1_001_000);
        pass(60_000, 60_000);
        assertThat(clock.nowMs()).isEqualTo(1_061_000);
        pass(0, -TimeUnit.DAYS.toMillis(400));
        assertThat(clock.nowMs()).as("put right again").isEqualTo(1_061_000);
        pass(10, -TimeUnit.DAYS.toMillis(1));
        assertThat(clock.nowMs()).isEqualTo(1_061_010);
    }

    private void pass(long monotonicMs, long onTheWallMs) {
        nanos += TimeUnit.MILLISECONDS.toNanos(monotonicMs);
        wallMs += onTheWallMs;
    }
}
