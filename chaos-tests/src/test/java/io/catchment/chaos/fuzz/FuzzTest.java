package io.catchment.chaos.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.nodes.Shape;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** A short run on three nodes, and what is sent. Replay: -Dchaos.seed=N with the same test. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
class FuzzTest {
    private static final Words WORDS =
            new Words(List.of("fuzz", "prey"), List.of(Uuid.fromString("AAAAAAAAAAAAAAAAAAAAAQ")));

    private final long seed = Long.getLong("chaos.seed", new SplittableRandom().nextInt(1_000_000));

    @Tag("slow")
    @Test
    void nodesAndThoseWhoBehaveStandHalfAMinuteOfIt(@TempDir Path folder) throws Exception {
        System.out.println("replay with -Dchaos.seed=" + seed);
        var verdict = new Verdict();
        try (var cluster = CatchmentCluster.up(
                folder.resolve("cluster"),
                CatchmentCluster.Options.of(3).with("", Fuzz.SETTINGS).withZones(Fuzz.ZONES.toArray(String[]::new)))) {
            var plan = new Fuzz.Plan(30, 3, EnumSet.allOf(Port.Kind.class), seed, 0);
            System.out.println(new Fuzz(cluster, plan, new Shape(6, 1, 200, 100, false, seed), verdict).run());
        }
        assertThat(verdict.describe()).as("seed " + seed).isEqualTo("clean");
    }

    @Test
    void everyApiAtEveryVersionIsSent() {
        KafkaFrames frames = KafkaFrames.ofClients(WORDS);
        var random = new SplittableRandom(7);
        Set<String> sent = new HashSet<>();
        for (int i = 0; i < 60_000; i++) {
            ByteBuffer frame = ByteBuffer.wrap(frames.valid(random));
            assertThat(frame.getInt()).isEqualTo(frame.remaining());
            sent.add(frame.getShort() + " " + frame.getShort());
        }
        for (ApiKeys api : ApiKeys.brokerApis()) {
            if (api != ApiKeys.ALTER_CLIENT_QUOTAS && api != ApiKeys.UNREGISTER_BROKER) {
                for (short version : api.allVersions()) {
                    assertThat(sent).as("%s", api).contains(api.id + " " + version);
                }
            }
        }
    }

    @Test
    void aSeedMakesTheSameFrames() {
        for (KafkaFrames frames : List.of(KafkaFrames.ofClients(WORDS), KafkaFrames.ofControllers(WORDS))) {
            var one = new SplittableRandom(seed);
            var other = new SplittableRandom(seed);
            for (int i = 0; i < 500; i++) {
                assertThat(frames.next(one)).as("seed %d, frame %d", seed, i).isEqualTo(frames.next(other));
            }
        }
    }

    @Test
    void everyMutationChangesFramesAndNoneFails() {
        var random = new SplittableRandom(seed);
        for (Mutation mutation : Mutation.values()) {
            int changed = 0;
            for (int i = 0; i < 200; i++) {
                byte[] frame = new byte[9 + random.nextInt(300)];
                random.nextBytes(frame);
                changed += java.util.Arrays.equals(mutation.of(frame, random), frame) ? 0 : 1;
            }
            assertThat(changed).as("%s, seed %d", mutation, seed).isGreaterThan(mutation == Mutation.NONE ? -1 : 50);
        }
    }
}
