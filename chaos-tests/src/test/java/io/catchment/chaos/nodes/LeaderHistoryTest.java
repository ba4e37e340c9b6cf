package io.catchment.chaos.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.nodes.LeaderHistory.Look;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LeaderHistoryTest {

    @Test
    void aNodeIsGoneWhenItLeadsNothingForTheLastTime() {
        LeaderHistory history = history(look(10, 4, 1), look(20, 1, 1), look(30, 4, 4), look(40, 1, 4), look(50, 1, 1));
        assertThat(history.gone(4, 15)).isEqualTo(50);
    }

    @Test
    void aNodeThatLeadsToTheEndIsNeverGone() {
        LeaderHistory history = history(look(10, 4), look(20, 1), look(30, 4));
        assertThat(history.gone(4, 15)).isEqualTo(-1);
    }

    @Test
    void goneIsCountedFromTheGivenTimeOn() {
        LeaderHistory history = history(look(10, 4), look(20, 1), look(30, 1), look(40, 1));
        assertThat(history.gone(4, 25)).isEqualTo(30);
        assertThat(history.gone(4, 45)).isEqualTo(-1);
    }

    @Test
    void aNodeHasItsShareWhenItFirstLeadsAsMuch() {
        LeaderHistory history = history(look(10, 1, 1), look(20, 1, 4), look(30, 4, 4), look(40, 1, 4));
        assertThat(history.led(4, 0, 2)).isEqualTo(30);
        assertThat(history.led(4, 35, 2)).isEqualTo(-1);
    }

    @Test
    void movedAreThosePartitionsWhoseLeaderChangedInThatTime() {
        LeaderHistory history = history(look(10, 1, 1, 1), look(20, 4, 1, 1), look(30, 4, 4, 1), look(40, 4, 4, 4));
        assertThat(history.moved(25, 35)).containsExactly(1);
        assertThat(history.moved(0, 100)).containsExactly(0, 1, 2);
    }

    private static LeaderHistory history(Look... looks) {
        return new LeaderHistory(List.of(looks));
    }

    /** @param leaders of partition 0, 1, … */
    private static Look look(long nanos, int... leaders) {
        Map<Integer, Integer> all = new HashMap<>();
        List<Integer> alive = new ArrayList<>();
        for (int leader : leaders) {
            all.put(all.size(), leader);
            if (!alive.contains(leader)) {
                alive.add(leader);
            }
        }
        return new Look(nanos, alive, all);
    }
}
