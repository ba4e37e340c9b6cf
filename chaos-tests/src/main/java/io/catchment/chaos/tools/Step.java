package io.catchment.chaos.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * One call of a tool, as a line of {@code tools/steps.txt} has it; the file's beginning says how it is written.
 *
 * @param tool empty for the end of a call that was started
 * @param input for standard input
 * @param until text that a call prints in the end, when it has to be repeated
 * @param same only lines with this text are compared
 */
record Step(
        String name,
        Kind kind,
        List<String> tool,
        String input,
        boolean numbers,
        boolean sorted,
        boolean distinct,
        Optional<String> until,
        Optional<String> same) {
    enum Kind {
        RUN,
        START,
        STOP
    }

    Step {
        tool = List.copyOf(tool);
    }

    static List<Step> readAll(Path file) throws IOException {
        List<Step> steps = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            if (!line.isBlank() && !line.startsWith("#")) {
                steps.add(parse(line));
            }
        }
        return steps;
    }

    static Step parse(String line) {
        int colon = line.indexOf(": ");
        List<String> options = Arrays.asList(
                (colon < 0 ? line : line.substring(0, colon)).strip().split(" +"));
        String call = colon < 0 ? "" : line.substring(colon + 2);
        int arrows = call.indexOf(" <<< ");
        String input = arrows < 0
                ? ""
                : call.substring(arrows + 5).replace("\\n", "\n").replace("\\t", "\t") + "\n";
        List<String> words =
                new ArrayList<>(List.of((arrows < 0 ? call : call.substring(0, arrows)).split(" (?![a-z.-]+\\})")));
        Kind kind = options.contains("start") ? Kind.START : options.contains("stop") ? Kind.STOP : Kind.RUN;
        if (call.isEmpty() != (kind == Kind.STOP)) {
            throw new IllegalArgumentException("what is to be called? " + line);
        }
        return new Step(
                options.get(0),
                kind,
                call.isEmpty() ? List.of() : words,
                input,
                options.contains("numbers"),
                options.contains("sorted") || options.contains("set"),
                options.contains("set"),
                option(options, "until="),
                option(options, "same="));
    }

    private static Optional<String> option(List<String> options, String key) {
        return options.stream()
                .filter(option -> option.startsWith(key))
                .findFirst()
                .map(option -> option.substring(key.length()).replace('_', ' '));
    }
}
