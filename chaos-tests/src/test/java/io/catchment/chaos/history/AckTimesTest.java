package io.catchment.chaos.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AckTimesTest {
    private static final long MS = 1_000_000;
    private final AckTimes times = new AckTimes(2);

    private void acknowledged(int partition, long atMs) {
        times.add(partition, (atMs - 5) * MS, atMs * MS);
    }

    @Test
    void longestGapOfEachPartitionIsFoundWithItsTime() {
        for (long at = 0; at <= 1000; at += 10) {
            acknowledged(0, at);
            if (at < 300 || at > 720) {
                acknowledged(1, at);
            }
        }
        Map<Integer, AckTimes.Gap> gaps = times.longestGaps(0, 1000 * MS);
        assertThat(gaps.get(0).ms()).isEqualTo(10);
        assertThat(gaps.get(1)).isEqualTo(new AckTimes.Gap(1, 290 * MS, 730 * MS));
    }

    @Test
    void gapsOutsideTheSpanDoNotCount() {
        for (long at = 0; at <= 1000; at += 10) {
            if (at < 300 || at > 720) {
                acknowledged(0, at);
            }
            acknowledged(1, at);
        }
        assertThat(times.longestGaps(0, 250 * MS).get(0).ms()).isEqualTo(10);
        assertThat(times.longestGaps(740 * MS, 900 * MS).get(0).ms()).isEqualTo(10);
        assertThat(times.longestGaps(700 * MS, 900 * MS).get(0).ms()).isEqualTo(440);
    }

    @Test
    void partitionThatNeverComesBackPausesToTheEnd() {
        for (long at = 0; at <= 1000; at += 10) {
            acknowledged(0, at);
            if (at <= 400) {
                acknowledged(1, at);
            }
        }
        assertThat(times.longestGaps(500 * MS, 600 * MS).get(1).ms()).isEqualTo(600);
    }

    @Test
    void waitsAreThoseOfTheSpanAndThePartitions() {
        times.add(0, 0, 5 * MS);
        times.add(1, 0, 50 * MS);
        times.add(0, 100 * MS, 107 * MS);
        assertThat(times.waitMs(0, 60 * MS, Set.of(0, 1), 1)).isEqualTo(50);
        assertThat(times.waitMs(0, 60 * MS, Set.of(0), 1)).isEqualTo(5);
        assertThat(times.waitMs(60 * MS, 200 * MS, Set.of(0, 1), 0.5)).isEqualTo(7);
        assertThat(times.longestWaitsMs(0, 200 * MS)).isEqualTo(Map.of(0, 7.0, 1, 50.0));
    }

    @Test
    void silenceIsThatOfTheQuietestPartition() {
        var now = new AckTimes(2);
        long since = System.nanoTime();
        now.acknowledged(0, since);
        assertThat(now.longestSilenceNanos()).isPositive();
        now.acknowledged(1, since);
        assertThat(now.longestSilenceNanos()).isLessThanOrEqualTo(System.nanoTime() - since);
    }
}
