package io.catchment.broker.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BackoffTest {
    @Test
    void waitsDoubleUpToTheirBoundWithJitterAndBeginAnewAfterASuccess() {
        Backoff backoff = new Backoff(100, 3_000, new SplittableRandom(7));
        long[] nominal = {100, 200, 400, 800, 1_600, 3_000, 3_000};
        for (long wait : nominal) {
            assertThat(backoff.failedMs()).isBetween(wait / 2, wait);
        }
        assertThat(backoff.failures()).isEqualTo(nominal.length);
        Set<Long> seen = new HashSet<>();
        for (int i = 0; i < 1_000; i++) {
            long wait = backoff.failedMs();
            assertThat(wait).isBetween(1_500L, 3_000L);
            seen.add(wait);
        }
        assertThat(seen).hasSizeGreaterThan(400);
        backoff.succeeded();
        assertThat(backoff.failing()).isFalse();
        assertThat(backoff.failedMs()).isBetween(50L, 100L);
    }
}
