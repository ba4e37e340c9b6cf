package io.catchment.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RecentOffsetsTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long START = -5 * SECOND;

    @Test
    void whatWasAcknowledgedWithinHalfAMinuteIsRecentAndWhatIsOlderThanAMinuteIsNot() {
        RecentOffsets recent = new RecentOffsets(0, START);
        for (int second = 1; second <= 300; second++) {
            recent.advanced((second - 1) * 100L, START + second * SECOND);
            if (second > 60) {
                assertThat(recent.has((second - 30) * 100L))
                        .as("30 s ago, at %d", second)
                        .isTrue();
                assertThat(recent.has((second - 62) * 100L))
                        .as("a minute ago, at %d", second)
                        .isFalse();
            }
            assertThat(recent.has(second * 100L)).as("the end").isTrue();
        }
    }

    @Test
    void afterAPauseAllThatWasThereBeforeIsOld() {
        RecentOffsets recent = new RecentOffsets(0, START);
        recent.advanced(0, START + SECOND);
        recent.advanced(50_000, START + 1000 * SECOND);
        assertThat(recent.has(49_999)).isFalse();
        assertThat(recent.has(50_000)).isTrue();
    }

    @Test
    void aNewOwnerTakesTheLastRecordsForRecentUntilItKnows() {
        RecentOffsets recent = new RecentOffsets(1_000_000, START);
        assertThat(recent.has(995_000)).isTrue();
        assertThat(recent.has(900_000)).isFalse();
        recent.advanced(1_000_000, START + 31 * SECOND);
        assertThat(recent.has(995_000)).isFalse();
    }
}
