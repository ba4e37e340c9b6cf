package io.catchment.chaos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class MetricsTest {
    private final Metrics metrics = Metrics.parse("""
            # HELP a help
            # TYPE a gauge
            a 3.0
            b_total{x="1",y="two words"} 1.5
            b_total{x="2",y=""} 1e1
            bb 7
            """);

    @Test
    void sumsOverLabels() {
        assertThat(metrics.sum("a")).isEqualTo(3);
        assertThat(metrics.sum("b_total")).isEqualTo(11.5);
    }

    @Test
    void misspeltNameFails() {
        assertThatThrownBy(() -> metrics.sum("b")).hasMessageContaining("no metric b");
    }

    @Test
    void nodesAreAddedUp() {
        Metrics all = Metrics.sumOf(List.of(metrics, Metrics.parse("a 4\nc 1\n")));
        assertThat(all.sum("a")).isEqualTo(7);
        assertThat(all.sum("b_total")).isEqualTo(11.5);
        assertThat(all.sum("c")).isEqualTo(1);
    }
}
