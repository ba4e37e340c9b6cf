package io.catchment.chaos.tools;

import io.catchment.chaos.cluster.Checkout;
import io.catchment.chaos.cluster.Cluster;
import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The steps of {@code tools/steps.txt} on two clusters at the same time, and what differs. */
public final class ToolsRun {
    private static final Logger LOG = LoggerFactory.getLogger(ToolsRun.class);

    private final Cluster kafka;
    private final Cluster other;
    private final Path outputs;
    private final Verdict verdict;

    /** @param outputs folder for what the tools printed */
    public ToolsRun(Cluster kafka, Cluster other, Path outputs, Verdict verdict) {
        this.kafka = kafka;
        this.other = other;
        this.outputs = outputs;
        this.verdict = verdict;
    }

    /** @param only names of steps; steps that others need are the caller's to name */
    public String run(Predicate<String> only) throws Exception {
        List<Step> steps = Step.readAll(Checkout.toolSteps()).stream()
                .filter(step -> only.test(step.name()))
                .toList();
        var expected = other.name().equals(kafka.name())
                ? ExpectedDifferences.none()
                : ExpectedDifferences.read(Checkout.toolSteps().resolveSibling("expected-differences.txt"));
        Files.createDirectories(outputs);
        Path classes =
                ToolRunner.archive(kafka.bootstrap(), outputs.toAbsolutePath().resolve("classes.jsa"));
        CompletableFuture<Map<String, List<String>>> left = inBackground(kafka, steps, classes, "kafka");
        CompletableFuture<Map<String, List<String>>> right = inBackground(other, steps, classes, "other");
        return compare(steps, left.get(), right.get(), expected);
    }

    private CompletableFuture<Map<String, List<String>>> inBackground(
            Cluster cluster, List<Step> steps, Path classes, String name) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return outputs(cluster, steps, classes, outputs.resolve(name));
            } catch (IOException e) {
                throw new IllegalStateException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        });
    }

    private static Map<String, List<String>> outputs(Cluster cluster, List<Step> steps, Path classes, Path folder)
            throws IOException, InterruptedException {
        Map<String, List<String>> outputs = new LinkedHashMap<>();
        try (var runner = new ToolRunner(cluster.bootstrap(), classes, folder)) {
            for (Step step : steps) {
                LOG.info("{}: {}", cluster.name(), step.name());
                List<String> lines = Normaliser.lines(step, runner.run(step));
                Files.write(folder.resolve(step.name() + ".lines"), lines);
                outputs.put(step.name(), lines);
            }
        }
        return outputs;
    }

    private String compare(
            List<Step> steps,
            Map<String, List<String>> left,
            Map<String, List<String>> right,
            ExpectedDifferences expected) {
        int same = 0;
        Set<String> names = new HashSet<>();
        List<String> asExpected = new ArrayList<>();
        for (Step step : steps) {
            names.add(step.name());
            var diff =
                    LineDiff.of(left.getOrDefault(step.name(), List.of()), right.getOrDefault(step.name(), List.of()));
            List<String> unexpected = expected.unexpected(step.name(), diff);
            if (diff.same()) {
                same++;
            } else if (unexpected.isEmpty()) {
                asExpected.add(step.name());
            } else {
                verdict.violation(
                        Violation.Kind.DIFFERENT, step.name() + ":\n    " + String.join("\n    ", unexpected));
            }
        }
        expected.unneeded(names)
                .forEach(entry ->
                        verdict.violation(Violation.Kind.DIFFERENT, "no such difference (any more): " + entry));
        return "  %d steps: %d alike, %d differ as expected %s"
                .formatted(steps.size(), same, asExpected.size(), asExpected);
    }
}
