package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.NodeLoad;
import io.catchment.wal.Lane;
import io.catchment.wal.WalStats;
import io.catchment.wal.WalStats.LaneStats;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LoadMeterTest {
    private static final long GIB = 1L << 30;

    private final Map<Lane, LaneStats> lanes = new EnumMap<>(Lane.class);
    private long nowNanos;
    private long diskUsableBytes = 50 * GIB;
    private final LoadMeter meter = new LoadMeter(
            () -> new WalStats(Map.copyOf(lanes), 1, 0, 0, 0, diskUsableBytes, 0, 1e9),
            () -> 100 * GIB,
            10 * GIB,
            () -> nowNanos,
            () -> Map.of(3, 20L),
            () -> Set.of(7L),
            () -> 12);

    private void appended(Lane lane, long bytes, long frames) {
        lanes.put(lane, new LaneStats(true, "", bytes, frames, 0, 0, 0));
    }

    @Test
    void ratesAreThoseSinceTheLastSample() {
        appended(Lane.NORMAL, 1_000, 10);
        meter.sample();
        nowNanos += TimeUnit.SECONDS.toNanos(2);
        appended(Lane.NORMAL, 5_000, 30);
        appended(Lane.URGENT, 900, 9);
        meter.sample();
        NodeLoad load = meter.load();
        assertThat(load.bytesPerSecond().get(Lane.NORMAL.ordinal())).isEqualTo(2_000.0);
        assertThat(load.requestsPerSecond().get(Lane.NORMAL.ordinal())).isEqualTo(10.0);
        assertThat(load.streamsServed()).isEqualTo(12);
        assertThat(load.bytesPerSecond().get(Lane.URGENT.ordinal()))
                .as("a lane that is new has no rate yet")
                .isZero();
        assertThat(load.unreachableMs()).containsExactly(Map.entry(3, 20L));
    }

    @Test
    void aDiskThatIsNearlyFullIsPressure() {
        meter.sample();
        assertThat(meter.load().pressure()).isZero();
        diskUsableBytes = 9 * GIB;
        meter.sample();
        assertThat(meter.load().pressure()).isEqualTo(NodeLoad.ORANGE);
        assertThat(meter.load().diskFreeBytes()).isEqualTo(9 * GIB);
    }

    @Test
    void drainingIsToldByTheNextHeartbeat() {
        assertThat(meter.load().wantsToDrain()).isFalse();
        meter.drain();
        assertThat(meter.load().wantsToDrain()).isTrue();
    }
}
