package io.catchment.chaos.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** A short conversation. Skipped, with the reason, where a client cannot be fetched. Replay: -Dchaos.seed=N. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
class ClientsTest {
    private static final List<String> NAMES = List.of("java-2", "librdkafka", "kafkajs");
    private static final String CANNOT_FETCH = "returned 75";

    @TempDir
    private static Path folder;

    private static CatchmentCluster cluster;

    private final long seed = Long.getLong("chaos.seed", new SplittableRandom().nextInt(1_000_000));

    @BeforeAll
    static void start() {
        for (String name : NAMES) {
            try {
                Programs.install(name);
            } catch (IllegalStateException e) {
                Assumptions.assumeFalse(String.valueOf(e.getMessage()).contains(CANNOT_FETCH), e::getMessage);
                throw e;
            }
        }
        cluster = CatchmentCluster.up(folder.resolve("cluster"), CatchmentCluster.Options.of(3));
    }

    @AfterAll
    static void end() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void eachClientReadsWhatAllWroteToTheByte() throws Exception {
        var verdict = new Verdict();
        System.out.println(new ClientsRun(cluster, new ClientsRun.Plan(NAMES, 12, false, seed), verdict).run());
        assertThat(verdict.describe()).as("seed " + seed).isEqualTo("clean");
    }

    @Test
    void aReaderThatAddsAByteOrLeavesOutARecordIsReported() throws Exception {
        var verdict = new Verdict();
        var honest = new LineClient(
                "liar",
                new Programs(folder.resolve("liar")),
                Programs.install("librdkafka"),
                Set.of("none"),
                List.of());
        new Conversation(cluster.bootstrap(), List.of(new Liar(honest)), seed, verdict, new FeatureTable()).run(4);
        assertThat(verdict.violations())
                .as("seed " + seed)
                .extracting(Violation::kind)
                .contains(Violation.Kind.CORRUPTED, Violation.Kind.LOST);
    }

    /** Adds a byte to the last key of each topic, and leaves out the last record of each topic of transactions. */
    private record Liar(StockClient honest) implements StockClient {
        @Override
        public String name() {
            return honest.name();
        }

        @Override
        public Set<String> codecs() {
            return honest.codecs();
        }

        @Override
        public boolean writesAnything() {
            return honest.writesAnything();
        }

        @Override
        public List<Answer> produce(String bootstrap, String topic, String codec, List<Portion> portions)
                throws IOException, InterruptedException {
            return honest.produce(bootstrap, topic, codec, portions);
        }

        @Override
        public Map<String, List<Read>> read(String bootstrap, boolean committed, List<String> topics)
                throws IOException, InterruptedException {
            Map<String, List<Read>> all = honest.read(bootstrap, committed, topics);
            all.replaceAll((topic, records) -> {
                List<Read> changed = new ArrayList<>(records);
                Read last = changed.remove(changed.size() - 1);
                Line line = last.line();
                if (topic.startsWith("w-")) {
                    String key = line.key() + "00";
                    changed.add(new Read(
                            last.offset(),
                            new Line(line.partition(), line.timestamp(), key, line.value(), line.headers())));
                }
                return changed;
            });
            return all;
        }

        @Override
        public GroupMember join(String bootstrap, String group, String topic) throws IOException {
            return honest.join(bootstrap, group, topic);
        }
    }
}
