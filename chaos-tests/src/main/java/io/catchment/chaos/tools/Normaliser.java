package io.catchment.chaos.tools;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Takes out of a tool's output what differs from cluster to cluster and from run to run: addresses, ids, times, which node leads. Pure. */
final class Normaliser {
    private record Rule(Pattern pattern, String replacement) {
        Rule(String regex, String replacement) {
            this(Pattern.compile(regex), replacement);
        }
    }

    private static final List<Rule> RULES = List.of(
            new Rule("(localhost|127\\.0\\.0\\.1)(/127\\.0\\.0\\.1)?:\\d+", "HOST"),
            new Rule("/?127\\.0\\.0\\.1", "HOST"),
            new Rule("\\b(127\\.0\\.0\\.1|localhost) +\\d{4,5}\\b", "HOST PORT"),
            new Rule("HOST +\\d{4,5}\\b", "HOST PORT"),
            new Rule("\"port\" *: *\\d+", "\"port\":PORT"),
            // a UUID, and Kafka's own form of it
            new Rule("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
            new Rule("(?<![\\w-])(?=[\\w-]*[A-Z])(?=[\\w-]*[a-z0-9])[A-Za-z0-9_-]{22}(?![\\w-])", "UUID"),
            new Rule("\\d{4}-\\d\\d-\\d\\d[ T]\\d\\d:\\d\\d:\\d\\d([.,:]\\d+)?Z?", "TIME"),
            new Rule("\\b1[789]\\d{11}\\b", "TIME"),
            new Rule("\"/[^\"]*/(data|wal)\"", "\"FOLDER\""),
            new Rule("\\b(\\d+) ms\\b", "N ms"),
            // who leads what, and where group coordinators are, is each cluster's own affair
            new Rule("Leader: [123]\\b", "Leader: N"),
            new Rule("(Replicas|Isr): [123]\\b(?!,)", "$1: N"),
            new Rule("HOST +\\(\\d\\)", "HOST (N)"),
            new Rule("HOST \\(id: \\d rack: ", "HOST (id: N rack: "));
    private static final Rule NUMBERS = new Rule("-?\\d+([.,]\\d+)*(?:E-?\\d+)?\\b|\\bNaN\\b", "N");
    private static final Pattern BLANKS = Pattern.compile("[ \\t]+");
    private static final Pattern LINE_OF_A_STACK = Pattern.compile("\\s+(at \\S+\\(.*\\)|\\.\\.\\. \\d+ more)");

    private Normaliser() {}

    static List<String> lines(Step step, String output) {
        List<String> lines = new ArrayList<>();
        // the formatter of offsets puts no line break between records
        for (String line : output.replace("}{", "}\n{").split("\n", -1)) {
            if (!line.isBlank()
                    && !LINE_OF_A_STACK.matcher(line).matches()
                    && (step.same().isEmpty() || line.contains(step.same().get()))) {
                lines.add(line(step, line));
            }
        }
        if (step.sorted()) {
            lines.sort(null);
        }
        return step.distinct() ? lines.stream().distinct().toList() : lines;
    }

    private static String line(Step step, String line) {
        String text = line;
        for (Rule rule : RULES) {
            text = rule.pattern.matcher(text).replaceAll(rule.replacement);
        }
        if (step.numbers()) {
            text = NUMBERS.pattern.matcher(text).replaceAll(NUMBERS.replacement);
        }
        return BLANKS.matcher(text).replaceAll(" ").strip();
    }
}
