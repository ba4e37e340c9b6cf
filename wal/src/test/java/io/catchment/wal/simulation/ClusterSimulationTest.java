package io.catchment.wal.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.catchment.wal.simulation.ClusterRun.Mutation;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.slf4j.LoggerFactory;

/** {@code -Dwal.cluster.seed=N} replays one seed, {@code -Dwal.cluster.seeds=N} runs so many from {@code -Dwal.cluster.first}. */
final class ClusterSimulationTest {
    private static final int SEEDS = 1_000;
    private static final long BUDGET_NANOS = 20_000_000_000L;

    private static final Logger WAL_LOGGER = (Logger) LoggerFactory.getLogger("io.catchment.wal");

    /** Thousands of simulated faults, each duly reported, would bury what a person should see. */
    @BeforeAll
    static void beQuiet() {
        WAL_LOGGER.setLevel(Long.getLong("wal.cluster.seed") == null ? Level.OFF : null);
    }

    @AfterAll
    static void speakAgain() {
        WAL_LOGGER.setLevel(null);
    }

    @Test
    void whatMustHoldHoldsInEveryHistoryOfACluster() {
        Long one = Long.getLong("wal.cluster.seed");
        if (one != null) {
            new ClusterRun(one, Mutation.NONE).run();
            return;
        }
        int seeds = Integer.getInteger("wal.cluster.seeds", SEEDS);
        long first = Long.getLong("wal.cluster.first", 1);
        long started = System.nanoTime();
        int done = 0;
        Map<String, Integer> seen = new TreeMap<>();
        while (done < seeds && (System.nanoTime() - started < BUDGET_NANOS || seeds > SEEDS)) {
            run(first + done++).forEach((what, count) -> seen.merge(what, count, Integer::sum));
        }
        System.out.println("simulated " + done + " cluster histories in " + (System.nanoTime() - started) / 1_000_000
                + " ms: " + seen);
        assertThat(done).isGreaterThanOrEqualTo(100);
        assertThat(seen)
                .containsKeys(
                        "acknowledged",
                        "appended by a zombie",
                        "authority FENCED",
                        "authority LOST",
                        "crashed or fenced while it was drained",
                        "did not wait longer to leave",
                        "disk wiped",
                        "drain cancelled",
                        "flushed from few holders",
                        "lane suspended",
                        "left",
                        "left unnoticed",
                        "read",
                        "recovered",
                        "recovery waits",
                        "repaired",
                        "stand-in",
                        "sync failed",
                        "taken over");
    }

    private static Map<String, Integer> run(long seed) {
        try {
            ClusterRun run = new ClusterRun(seed, Mutation.NONE);
            run.run();
            return run.seen;
        } catch (Throwable broken) {
            throw new AssertionError(
                    "seed " + seed + " fails: " + broken.getMessage()
                            + "\nreplay: mvn -B -o -ntp -pl wal test -Dtest=ClusterSimulationTest -Dwal.cluster.seed="
                            + seed,
                    broken);
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void theChecksNoticeWhatIsBrokenOnPurpose(Mutation mutation) {
        for (long seed = 1; seed <= 2_000; seed++) {
            try {
                new ClusterRun(seed, mutation).run();
            } catch (AssertionError noticed) {
                System.out.println(mutation + " noticed with seed " + seed + ": " + noticed.getMessage());
                return;
            }
        }
        throw new AssertionError(mutation + " was not noticed in 2000 histories: the checks are blind");
    }
}
