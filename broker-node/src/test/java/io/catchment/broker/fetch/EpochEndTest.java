package io.catchment.broker.fetch;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.partition.PartitionView.EpochStart;
import java.util.List;
import org.junit.jupiter.api.Test;

class EpochEndTest {
    private static final List<EpochStart> STARTS =
            List.of(new EpochStart(2, 10), new EpochStart(4, 30), new EpochStart(5, 30), new EpochStart(8, 50));

    @Test
    void anEpochEndsWhereTheNextStarts() {
        assertThat(EpochEnd.of(STARTS, 2, 90)).isEqualTo(new EpochEnd(2, 30));
        assertThat(EpochEnd.of(STARTS, 5, 90)).isEqualTo(new EpochEnd(5, 50));
    }

    @Test
    void theLastEpochEndsWithTheLog() {
        assertThat(EpochEnd.of(STARTS, 8, 90)).isEqualTo(new EpochEnd(8, 90));
    }

    @Test
    void anUnknownEpochIsAnsweredWithTheLargestBelowIt() {
        assertThat(EpochEnd.of(STARTS, 3, 90)).isEqualTo(new EpochEnd(2, 30));
        assertThat(EpochEnd.of(STARTS, 7, 90)).isEqualTo(new EpochEnd(5, 50));
    }

    @Test
    void anEpochWithoutRecordsCountsAsUnknown() {
        assertThat(EpochEnd.of(STARTS, 4, 90)).isEqualTo(new EpochEnd(2, 30));
    }

    @Test
    void anEpochBeforeTheFirstEndsWhereTheFirstStarts() {
        assertThat(EpochEnd.of(STARTS, 1, 90)).isEqualTo(new EpochEnd(1, 10));
    }

    @Test
    void anEpochAfterTheLastIsUndefined() {
        assertThat(EpochEnd.of(STARTS, 9, 90)).isEqualTo(EpochEnd.UNDEFINED);
        assertThat(EpochEnd.of(STARTS, -1, 90)).isEqualTo(EpochEnd.UNDEFINED);
        assertThat(EpochEnd.of(List.of(), 0, 90)).isEqualTo(EpochEnd.UNDEFINED);
    }

    @Test
    void theEpochAtAnOffsetIsTheLastThatStartedByThen() {
        assertThat(EpochEnd.at(STARTS, 9)).isEqualTo(-1);
        assertThat(EpochEnd.at(STARTS, 10)).isEqualTo(2);
        assertThat(EpochEnd.at(STARTS, 30)).isEqualTo(5);
        assertThat(EpochEnd.at(STARTS, 99)).isEqualTo(8);
    }
}
