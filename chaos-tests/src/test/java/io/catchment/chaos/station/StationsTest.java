package io.catchment.chaos.station;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentServer;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.workload.Topics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

class StationsTest {
    @TempDir
    private Path folder;

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
    void everyReadingArrivesOnceAndInOrderInGroupsOfBothProtocols() {
        Fleet fleet = Fleet.of(200, 3, Fleet.DEFAULT_START);
        var verdict = new Verdict();
        try (var server = CatchmentServer.up(folder.resolve("server"), "", Map.of())) {
            String bootstrap = server.bootstrap();
            Topics.create(bootstrap, "stations", 12);
            StationPlayer.play(bootstrap, "stations", fleet, 0, Map.of("delivery.timeout.ms", "60000"), verdict);
            assertThat(verdict.describe()).as("played").isEqualTo("clean");
            for (String protocol : new String[] {"classic", "consumer"}) {
                var audience = new Audience(fleet, verdict);
                new StationListener(audience, verdict, Duration.ofSeconds(20))
                        .listen(bootstrap, "stations", "group-" + protocol, protocol, 2, Map.of());
                assertThat(audience.heard()).as(protocol).isEqualTo(fleet.count());
            }
        }
        assertThat(verdict.describe()).isEqualTo("clean");
    }
}
