package io.catchment.chaos.tools;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.cluster.CatchmentCluster;
import io.catchment.chaos.cluster.KafkaCluster;
import io.catchment.chaos.history.Verdict;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** A few of the steps; all of them: {@code chaos tools}. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
class ToolsTest {
    private static final Pattern STEPS = Pattern.compile(
            "topics-(create|create-again|create-one|list|delete-missing)|configs-topic-(alter|bad-value)"
                    + "|produce-lz4|offsets-latest|groups-describe-missing|acls-list|transactions-none");

    @TempDir
    private Path folder;

    @Test
    void toolsSayWhatTheySayOfKafka() throws Exception {
        var verdict = new Verdict();
        try (var kafka = KafkaCluster.up(folder.resolve("kafka"), 1);
                var catchment = CatchmentCluster.up(folder.resolve("catchment"), CatchmentCluster.Options.of(1))) {
            System.out.println(new ToolsRun(kafka, catchment, folder.resolve("outputs"), verdict)
                    .run(step -> STEPS.matcher(step).matches()));
        }
        assertThat(verdict.describe()).isEqualTo("clean");
    }
}
