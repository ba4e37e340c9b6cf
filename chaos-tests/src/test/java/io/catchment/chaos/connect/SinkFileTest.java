package io.catchment.chaos.connect;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That a sink's file is checked: each way of breaking it is reported. */
class SinkFileTest {
    @TempDir
    private Path folder;

    private final Verdict verdict = new Verdict();

    private long check(String text, long lines) throws Exception {
        Path file = folder.resolve("sink");
        Files.writeString(file, text);
        return SinkFile.check(file, lines, verdict);
    }

    private static String line(long number) {
        return SourceFile.line(number);
    }

    private List<Violation.Kind> kinds() {
        return verdict.violations().stream().map(Violation::kind).toList();
    }

    @Test
    void linesThatComeAgainAndTornBreaksAreTaken() throws Exception {
        String text = line(0) + "\n" + line(1) + line(1) + "\n" + line(2) + "\n" + line(1) + "\n" + line(2) + "\n";
        assertThat(check(text, 3)).isEqualTo(3);
        assertThat(kinds()).isEmpty();
    }

    @Test
    void aGapIsReported() throws Exception {
        check(line(0) + "\n" + line(2) + "\n", 3);
        assertThat(kinds()).containsExactly(Violation.Kind.LOST);
    }

    @Test
    void aMissingEndIsReported() throws Exception {
        check(line(0) + "\n", 2);
        assertThat(kinds()).containsExactly(Violation.Kind.LOST);
    }

    @Test
    void otherBytesAreReported() throws Exception {
        check(line(0) + "\n" + line(1).substring(3) + "\n" + line(1).replace("<1", "<2") + "\n", 1);
        assertThat(kinds()).containsExactly(Violation.Kind.CORRUPTED, Violation.Kind.CORRUPTED);
    }
}
