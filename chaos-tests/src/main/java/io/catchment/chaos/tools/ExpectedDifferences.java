package io.catchment.chaos.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What may differ, and why. Of each step that an entry names, "-" lines are expressions for lines that only Apache Kafka prints, "+" lines
 * for those that only Catchment prints. An entry that nothing needed is reported: the file must stay true. Owned by the thread that
 * compares.
 */
final class ExpectedDifferences {
    private record Entry(Set<String> steps, String reason, List<Pattern> left, List<Pattern> right) {
        boolean about(String step) {
            return steps.contains(step);
        }
    }

    private final List<Entry> entries = new ArrayList<>();
    private final Set<Entry> needed = new HashSet<>();

    private ExpectedDifferences() {}

    /** {@code [step step ...] reason}, then its lines; lines with # and empty ones are left out. */
    static ExpectedDifferences read(Path file) throws IOException {
        return parse(Files.readAllLines(file));
    }

    static ExpectedDifferences parse(List<String> lines) {
        var expected = new ExpectedDifferences();
        for (String line : lines) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            if (line.startsWith("[")) {
                int end = line.indexOf(']');
                String reason = line.substring(end + 1).strip();
                if (reason.isEmpty()) {
                    throw new IllegalArgumentException("an entry without a reason: " + line);
                }
                Set<String> steps = Set.of(line.substring(1, end).strip().split(" +"));
                expected.entries.add(new Entry(steps, reason, new ArrayList<>(), new ArrayList<>()));
            } else {
                Entry last = expected.entries.get(expected.entries.size() - 1);
                Pattern pattern = Pattern.compile(line.substring(1).strip());
                (line.startsWith("-") ? last.left : last.right).add(pattern);
            }
        }
        return expected;
    }

    static ExpectedDifferences none() {
        return new ExpectedDifferences();
    }

    /** What is left of a difference after all that is expected, as lines with "-" and "+". */
    List<String> unexpected(String step, LineDiff diff) {
        List<String> left = new ArrayList<>();
        diff.onlyLeft().stream().filter(line -> !isExpected(step, line, true)).forEach(line -> left.add("- " + line));
        diff.onlyRight().stream().filter(line -> !isExpected(step, line, false)).forEach(line -> left.add("+ " + line));
        return left;
    }

    private boolean isExpected(String step, String line, boolean ofLeft) {
        for (Entry entry : entries) {
            if (entry.about(step)
                    && (ofLeft ? entry.left : entry.right)
                            .stream().anyMatch(pattern -> pattern.matcher(line).matches())) {
                needed.add(entry);
                return true;
            }
        }
        return false;
    }

    /** Reasons of entries about these steps that none of them needed. */
    List<String> unneeded(Set<String> steps) {
        return entries.stream()
                .filter(entry -> !needed.contains(entry))
                .filter(entry -> entry.steps.stream().anyMatch(steps::contains))
                .map(entry -> entry.steps + " " + entry.reason)
                .toList();
    }
}
