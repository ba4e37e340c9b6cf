package io.catchment.wal.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.catchment.wal.simulation.SimRun.Mutation;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.slf4j.LoggerFactory;

/** {@code -Dwal.sim.seed=N} replays one seed, {@code -Dwal.sim.seeds=N} runs so many. */
final class WalSimulationTest {
    private static final long BUDGET_NANOS = 20_000_000_000L;

    private static final Logger WAL_LOGGER = (Logger) LoggerFactory.getLogger("io.catchment.wal");

    /** Thousands of simulated faults, each duly reported, would bury what a person should see. */
    @BeforeAll
    static void beQuiet() {
        WAL_LOGGER.setLevel(Level.OFF);
    }

    @AfterAll
    static void speakAgain() {
        WAL_LOGGER.setLevel(null);
    }

    @Test
    void whatMustHoldHoldsInEveryHistory() {
        Long one = Long.getLong("wal.sim.seed");
        if (one != null) {
            new SimRun(one, Mutation.NONE).run();
            return;
        }
        int seeds = Integer.getInteger("wal.sim.seeds", 2_000);
        long first = Long.getLong("wal.sim.first", 1);
        long started = System.nanoTime();
        int done = 0;
        while (done < seeds && (System.nanoTime() - started < BUDGET_NANOS || seeds > 2_000)) {
            run(first + done++);
        }
        System.out.println("simulated " + done + " histories in " + (System.nanoTime() - started) / 1_000_000 + " ms, "
                + ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() / 1_000_000 + " ms of CPU");
        assertThat(done).isGreaterThanOrEqualTo(100);
    }

    private static void run(long seed) {
        try {
            new SimRun(seed, Mutation.NONE).run();
        } catch (Throwable broken) {
            throw new AssertionError(
                    "seed " + seed + " fails: " + broken.getMessage()
                            + "\nreplay: mvn -B -o -ntp -pl wal test -Dtest=WalSimulationTest -Dwal.sim.seed=" + seed,
                    broken);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void theChecksNoticeWhatIsBrokenOnPurpose(Mutation mutation) {
        for (long seed = 1; seed <= 2_000; seed++) {
            try {
                new SimRun(seed, mutation).run();
            } catch (AssertionError noticed) {
                System.out.println(mutation + " noticed with seed " + seed + ": " + noticed.getMessage());
                return;
            }
        }
        throw new AssertionError(mutation + " was not noticed in 2000 histories: the checks are blind");
    }
}
