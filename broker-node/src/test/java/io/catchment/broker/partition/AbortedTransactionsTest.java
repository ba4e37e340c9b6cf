package io.catchment.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AbortedTransactionsTest {
    private final AbortedTransactions aborted = new AbortedTransactions();

    @Test
    void whoReadsAStretchIsToldOfTransactionsWithRecordsInIt() {
        AbortedTransaction early = new AbortedTransaction(1, 10, 19, 20);
        AbortedTransaction wide = new AbortedTransaction(2, 15, 49, 50);
        AbortedTransaction late = new AbortedTransaction(3, 60, 69, 70);
        aborted.add(early);
        aborted.add(wide);
        aborted.add(late);
        assertThat(aborted.between(0, 10)).isEmpty();
        assertThat(aborted.between(0, 11)).containsExactly(early);
        assertThat(aborted.between(19, 60)).containsExactly(early, wide);
        assertThat(aborted.between(20, 61)).containsExactly(wide, late);
        assertThat(aborted.between(70, 100)).isEmpty();
    }

    @Test
    void theOldestGoAndWhatIsKnownBeginsAfterTheirMarkers() {
        for (int i = 0; i <= AbortedTransactions.KEPT_MAX; i++) {
            aborted.add(new AbortedTransaction(i, 10L * i, 10L * i + 9, 10L * i + 10));
        }
        assertThat(aborted.knownFrom()).isEqualTo(10);
        assertThat(aborted.all()).hasSize(AbortedTransactions.KEPT_MAX);
        assertThat(aborted.between(0, 10)).isEmpty();
        assertThat(aborted.between(10, 11)).hasSize(1);
    }
}
