package io.catchment.broker.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class AnswerWindowTest {
    private static final int MIB = 1 << 20;
    private static final long MS = TimeUnit.MILLISECONDS.toNanos(1);

    private final AnswerWindow window = new AnswerWindow();

    @Test
    void itGrowsForWhoeverReadsWhatItGets() {
        assertThat(window.bytes()).isEqualTo(MIB);
        for (int i = 0; i < 6; i++) {
            window.taken(window.bytes(), 100 * MS);
        }
        assertThat(window.bytes()).isEqualTo(64 * MIB);
        for (int i = 0; i < 100; i++) {
            window.taken(window.bytes(), 1);
        }
        assertThat(window.bytes()).isEqualTo(1 << 30);
    }

    @Test
    void itDoesNotGrowByAnswersThatWereSmallAnyway() {
        window.taken(5_000, MS);
        window.taken(MIB / 2 - 1, MS);
        assertThat(window.bytes()).isEqualTo(MIB);
    }

    @Test
    void itShrinksToWhatASlowClientTakesInASecond() {
        for (int i = 0; i < 6; i++) {
            window.taken(window.bytes(), 100 * MS);
        }
        window.taken(40 * MIB, 10_000 * MS);
        assertThat(window.bytes()).isEqualTo(4 * MIB);
        window.taken(4 * MIB, 2_000 * MS);
        assertThat(window.bytes()).as("neither quick nor slow").isEqualTo(4 * MIB);
        window.taken(4 * MIB, 3_600_000 * MS);
        assertThat(window.bytes()).isEqualTo(MIB);
    }

    @Test
    void answersBecomeSmallerTheMoreLiesUnsent() {
        UnsentBudget budget = new UnsentBudget(512L * MIB);
        assertThat(budget.answerBytesMax()).isEqualTo(64 * MIB);
        budget.add(128L * MIB);
        assertThat(budget.answerBytesMax()).isEqualTo(32 * MIB);
        budget.add(200L * MIB);
        assertThat(budget.answerBytesMax()).isEqualTo(MIB);
        assertThat(budget.exhausted()).isFalse();
        budget.remove(328L * MIB);
        assertThat(budget.answerBytesMax()).isEqualTo(64 * MIB);
    }
}
