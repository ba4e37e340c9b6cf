package io.catchment.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class HindrancesTest {
    private long nowNanos = 7;
    private final Hindrances hindrances = new Hindrances(() -> nowNanos);

    @Test
    void theFirstNoteCountsUntilItIsOver() {
        assertThat(hindrances.sinceMs(1)).isZero();
        hindrances.began(1);
        nowNanos += TimeUnit.MILLISECONDS.toNanos(300);
        hindrances.began(1);
        assertThat(hindrances.sinceMs(1)).isEqualTo(300);
        hindrances.over(1);
        assertThat(hindrances.sinceMs(1)).isZero();
        hindrances.began(1);
        assertThat(hindrances.sinceMs(1)).isZero();
    }
}
