package io.catchment.chaos.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReportTest {
    @Test
    void tableHoldsMediansAndTheirRatio() {
        var measurements = List.of(
                new Measurement("w", "A", 0, Map.of("cpu_s", 1.0)),
                new Measurement("w", "A", 1, Map.of("cpu_s", 300.0)),
                new Measurement("w", "A", 2, Map.of("cpu_s", 2.0)),
                new Measurement("w", "B", 0, Map.of("cpu_s", 3.0)),
                new Measurement("w", "B", 1, Map.of("cpu_s", 5.0)));
        assertThat(Report.markdown(measurements, "A", "B").lines())
                .containsExactly(
                        "| workload | figure | A | B | ratio | runs |",
                        "|---|---|---:|---:|---:|---:|",
                        "| w | cpu_s | 2.00 | 4.00 | 0.50 | 3 |");
    }

    @Test
    void jsonLineHoldsEverything() {
        assertThat(new Measurement("w", "A", 4, Map.of("b_ms", 2.0, "a_s", 0.5)).json())
                .isEqualTo("{\"workload\":\"w\",\"contender\":\"A\",\"run\":4,\"a_s\":0.500,\"b_ms\":2.000}");
    }

    @Test
    void producerOutputGivesTheRateOfAllAndTheLatencyOfTheSteadyState() {
        var produced = PerfOutput.producer("""
                5 records sent, 1.0 records/sec (0.00 MB/sec), 715.0 ms avg latency, 7150.0 ms max latency.
                20000 records sent, 2266.288952 records/sec (0.22 MB/sec), 1227.08 ms avg latency, 7150.00 ms max latency, 1308 ms 50th, 1427 ms 95th, 1482 ms 99th, 1489 ms 99.9th.
                16000 steady state records sent, 2500.000000 records/sec (0.22 MB/sec), 27.08 ms avg latency, 150.00 ms max latency, 8 ms 50th, 27 ms 95th, 82 ms 99th, 89 ms 99.9th.
                """);
        assertThat(produced).isEqualTo(new PerfOutput.Produced(20000, 2266.288952, 8, 82));
        assertThatThrownBy(() -> PerfOutput.producer("nothing")).hasMessageContaining("no summary");
    }

    @Test
    void consumerOutputGivesTheFetchRate() {
        var consumed = PerfOutput.consumer(
                "WARNING: something\n2026-11-23 13:00:00:123, 2026-11-23 13:00:10:123, 953.6743, 95.3, 976562, 97656.2, 3000, 7000, 136.2392, 139508.8\n");
        assertThat(consumed.records()).isEqualTo(976562);
        assertThat(consumed.megabytes()).isBetween(999.9, 1000.1);
        assertThat(consumed.fetchMbPerSecond()).isBetween(142.8, 142.9);
    }
}
