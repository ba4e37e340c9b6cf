package io.catchment.chaos.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.Voters.Replica;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class VotersTest {
    private static final Replica LEADER = new Replica(1, 100_000, 100_000);

    private static boolean caughtUp(List<Replica> voters, List<Replica> observers) {
        return Voters.allCaughtUp(1, voters, observers, Duration.ofSeconds(2));
    }

    @Test
    void aVoterThatIsBehindIsSeen() {
        assertThat(caughtUp(List.of(LEADER, new Replica(2, 99_900, 99_000)), List.of()))
                .isTrue();
        assertThat(caughtUp(List.of(LEADER, new Replica(2, 99_900, 97_000)), List.of()))
                .isFalse();
        assertThat(caughtUp(List.of(LEADER, new Replica(2, 0, 0)), List.of())).isFalse();
    }

    @Test
    void nothingIsKnownWithoutALeader() {
        assertThat(caughtUp(List.of(new Replica(2, 99_900, 99_000)), List.of())).isFalse();
    }

    @Test
    void whoLostItsDiskObservesFirst() {
        var justKilled = new Replica(2, 99_000, 99_000);
        var anew = new Replica(2, 99_900, 99_900);
        assertThat(caughtUp(List.of(LEADER, justKilled), List.of(anew))).isFalse();
    }

    @Test
    void whoItWasIsToldAsAnObserverForMinutes() {
        var was = new Replica(2, 99_000, 99_000);
        var anew = new Replica(2, 99_900, 99_900);
        assertThat(caughtUp(List.of(LEADER, anew), List.of(was))).isTrue();
    }
}
