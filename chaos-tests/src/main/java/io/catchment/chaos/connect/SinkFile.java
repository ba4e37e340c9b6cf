package io.catchment.chaos.connect;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a file sink has written of a {@link SourceFile}. Pure but for reading the file. */
final class SinkFile {
    private static final Pattern LINE = Pattern.compile("<(\\d+) [0-9a-f]{8}>");

    private SinkFile() {}

    /** Each line at least once, first ones in order; how many are there again. */
    static long check(Path sink, long lines, Verdict verdict) throws IOException {
        long next = 0;
        long again = 0;
        for (String text : Files.readAllLines(sink)) {
            Matcher line = LINE.matcher(text);
            int end = 0;
            // a worker that died between a line and its line break leaves the next one behind it
            while (line.find() && line.start() == end) {
                end = line.end();
                long number = Long.parseLong(line.group(1));
                if (!line.group().equals(SourceFile.line(number))) {
                    verdict.violation(Violation.Kind.CORRUPTED, "in the sink's file: " + text);
                } else if (number == next) {
                    next++;
                } else if (number < next) {
                    again++;
                } else {
                    verdict.violation(
                            Violation.Kind.LOST, "in the sink's file %d comes after %d".formatted(number, next - 1));
                    next = number + 1;
                }
            }
            if (end != text.length()) {
                verdict.violation(Violation.Kind.CORRUPTED, "in the sink's file: " + text);
            }
        }
        if (next != lines) {
            verdict.violation(
                    Violation.Kind.LOST, "%d lines in the file, the sink's has those to %d".formatted(lines, next - 1));
        }
        return again;
    }

    /** Number of the last line that the sink has written, -1 for none. */
    static long last(Path sink) {
        try {
            if (!Files.exists(sink)) {
                return -1;
            }
            long last = -1;
            byte[] tail = Tail.of(sink, 4096);
            Matcher line = LINE.matcher(new String(tail, StandardCharsets.UTF_8));
            while (line.find()) {
                last = Math.max(last, Long.parseLong(line.group(1)));
            }
            return last;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
