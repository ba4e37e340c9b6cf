package io.catchment.chaos.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.chaos.cluster.Checkout;
import java.nio.file.Files;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class DifferencesTest {
    private static final List<String> FILE = List.of(
            "# comment",
            "[create list] one replica only",
            "- .*Factor: 3",
            "+ .*Factor: 1",
            "[other] never needed",
            "- x");

    private final ExpectedDifferences expected = ExpectedDifferences.parse(FILE);

    @Test
    void linesThatDifferAreFound() {
        var diff = LineDiff.of(List.of("a", "b", "c", "d"), List.of("a", "x", "c", "d", "e"));
        assertThat(diff.onlyLeft()).containsExactly("b");
        assertThat(diff.onlyRight()).containsExactly("x", "e");
        assertThat(LineDiff.of(List.of("a", "b"), List.of("a", "b")).same()).isTrue();
        assertThat(LineDiff.of(List.of("a", "b"), List.of("b", "a")).same()).isFalse();
    }

    @Test
    void onlyWhatIsExpectedOfThatStepMayDiffer() {
        var diff = LineDiff.of(List.of("Factor: 3"), List.of("Factor: 1"));
        assertThat(expected.unexpected("create", diff)).isEmpty();
        assertThat(expected.unexpected("delete", diff)).containsExactly("- Factor: 3", "+ Factor: 1");
        assertThat(expected.unexpected("create", LineDiff.of(List.of("Factor: 1"), List.of("Factor: 3"))))
                .containsExactly("- Factor: 1", "+ Factor: 3");
        assertThat(expected.unexpected("create", LineDiff.of(List.of(), List.of("Error"))))
                .containsExactly("+ Error");
    }

    @Test
    void anEntryThatNothingNeedsIsReportedOnceItsStepRan() {
        expected.unexpected("create", LineDiff.of(List.of("Factor: 3"), List.of()));
        assertThat(expected.unneeded(Set.of("create"))).isEmpty();
        assertThat(expected.unneeded(Set.of("create", "other"))).hasSize(1);
    }

    @Test
    void anEntryWithoutAReasonIsRefused() {
        assertThatThrownBy(() -> ExpectedDifferences.parse(List.of("[create] ")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void addressesIdsAndTimesAreNoDifferences() {
        Step step = Step.parse("x: topics {B}");
        assertThat(Normaliser.lines(
                        step,
                        "Topic: t1\tTopicId: kDZsaA4WQ6yDJbQTFUwZ3g\t\tLeader: 2\tReplicas: 2\n\n127.0.0.1:1234 (id: 3 rack: null)\n"
                                + "consumer-g-1-0f8fad5b-d9cb-469f-a165-70867728950e 2026-11-30 02:39:50,123 Error"))
                .containsExactly(
                        "Topic: t1 TopicId: UUID Leader: N Replicas: N",
                        "HOST (id: N rack: null)",
                        "consumer-g-1-UUID TIME Error");
    }

    @Test
    void numbersOnlyWhereTheStepSaysSo() {
        assertThat(Normaliser.lines(Step.parse("x: t"), "12 records, 3.5 MB")).containsExactly("12 records, 3.5 MB");
        assertThat(Normaliser.lines(Step.parse("x numbers: t"), "12 records, 3.5 MB"))
                .containsExactly("N records, N MB");
    }

    @Test
    void stepsAreRead() throws Exception {
        Step step = Step.parse("make sorted until=is_there: console-producer {B} --file {file a-b.json} <<< a:1\\nb:2");
        assertThat(step.tool()).containsExactly("console-producer", "{B}", "--file", "{file a-b.json}");
        assertThat(step.input()).isEqualTo("a:1\nb:2\n");
        assertThat(step.until()).contains("is there");
        assertThat(Step.readAll(Checkout.toolSteps())).extracting(Step::name).contains("topics-create", "member");
    }

    @Test
    void everyToolIsCalledButThoseThatReadKafkasFiles() throws Exception {
        Set<String> known = new TreeSet<>();
        for (String line : Files.readAllLines(Checkout.kafkaTool())) {
            Matcher tool = Pattern.compile("  ([a-z0-9-]+)\\) +class=.*").matcher(line);
            if (tool.matches()) {
                known.add(tool.group(1));
            }
        }
        Set<String> called = new TreeSet<>(Set.of("dump-log", "storage"));
        Step.readAll(Checkout.toolSteps()).stream()
                .filter(step -> step.kind() != Step.Kind.STOP)
                .forEach(step -> called.add(step.tool().get(0)));
        assertThat(known).hasSizeGreaterThan(30);
        assertThat(called).isEqualTo(known);
    }
}
