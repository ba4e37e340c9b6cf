package io.catchment.broker.near;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.catchment.broker.near.NearWorld.Mutation;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.slf4j.LoggerFactory;

/**
 * Owners, near nodes and their readers through lost, late and reordered messages, changes of owner with a cut of the log, nodes that freeze, die and come
 * back, late images, hung disks, trims and compaction. No reader gets a record that is not acknowledged, or not the log's, or leaves one out, or goes back;
 * and after the faults all get everything, and again in their zone. {@code -Dnear.seed=N} replays one seed, {@code -Dnear.seeds=N} runs so many from
 * {@code -Dnear.first}.
 */
class NearSimulationTest {
    private static final int SEEDS = 200;
    private static final long BUDGET_NANOS = 10_000_000_000L;

    private static final List<Logger> LOGGERS =
            List.of((Logger) LoggerFactory.getLogger("io.catchment.broker"), (Logger)
                    LoggerFactory.getLogger("org.apache.kafka"));

    /** Thousands of simulated faults, each duly reported, would bury what a person should see. */
    @BeforeAll
    static void beQuiet() {
        LOGGERS.forEach(logger -> logger.setLevel(Long.getLong("near.seed") == null ? Level.OFF : null));
    }

    @AfterAll
    static void speakAgain() {
        LOGGERS.forEach(logger -> logger.setLevel(null));
    }

    @Test
    void whatMustHoldHoldsInEveryHistory() {
        Long one = Long.getLong("near.seed");
        if (one != null) {
            System.out.println(run(one).seen);
            return;
        }
        int seeds = Integer.getInteger("near.seeds", SEEDS);
        long first = Long.getLong("near.first", 1);
        long started = System.nanoTime();
        int done = 0;
        Map<String, Integer> seen = new TreeMap<>();
        while (done < seeds && (System.nanoTime() - started < BUDGET_NANOS || seeds > SEEDS)) {
            run(first + done++).seen.forEach((what, count) -> seen.merge(what, count, Integer::sum));
        }
        System.out.println("simulated " + done + " histories of near readers in "
                + (System.nanoTime() - started) / 1_000_000 + " ms: " + seen);
        if (done >= 20) {
            assertThat(seen)
                    .containsKeys(
                            "back to the owner",
                            "back to the owner, out of range",
                            "batch read in the zone",
                            "begins again at the log's start",
                            "disk hangs",
                            "message lost",
                            "node frozen",
                            "node killed",
                            "owner changed, log cut",
                            "read that does not come back",
                            "sent to its zone");
        }
    }

    private static NearWorld run(long seed) {
        try {
            NearWorld world = new NearWorld(seed, Mutation.NONE);
            world.run();
            return world;
        } catch (Throwable broken) {
            throw new AssertionError(
                    "seed " + seed + " fails: " + broken.getMessage()
                            + "\nreplay: mvn -B -o -ntp -pl broker-node -am test -Dtest=NearSimulationTest"
                            + " -Dsurefire.failIfNoSpecifiedTests=false -Dnear.seed=" + seed,
                    broken);
        }
    }

    @Test
    void oneSeedIsOneHistory() {
        for (long seed = 1; seed <= 3; seed++) {
            NearWorld once = run(seed);
            NearWorld again = run(seed);
            assertThat(again.seen).isEqualTo(once.seen);
            assertThat(again.fingerprint()).isEqualTo(once.fingerprint());
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "NONE")
    void theChecksNoticeWhatIsBrokenOnPurpose(Mutation mutation) {
        for (long seed = 1; seed <= 500; seed++) {
            try {
                new NearWorld(seed, mutation).run();
            } catch (AssertionError noticed) {
                System.out.println(mutation + " noticed with seed " + seed + ": " + noticed.getMessage());
                return;
            }
        }
        throw new AssertionError(mutation + " was not noticed in 500 histories: the checks are blind");
    }
}
