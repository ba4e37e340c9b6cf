package io.catchment.chaos.catchup;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the process with the readers says at its end.
 *
 * @param bytes of values
 * @param cpuSeconds of the process
 */
record BacklogRead(long records, long bytes, double seconds, double cpuSeconds, int violations) {
    private static final Pattern LINE = Pattern.compile(
            "backlog read: records (\\d+) bytes (\\d+) seconds ([\\d.]+) cpu ([\\d.]+) violations (\\d+)");

    String line() {
        return String.format(
                Locale.ROOT,
                "backlog read: records %d bytes %d seconds %.3f cpu %.2f violations %d",
                records,
                bytes,
                seconds,
                cpuSeconds,
                violations);
    }

    static BacklogRead parse(String output) {
        Matcher matcher = LINE.matcher(output);
        if (!matcher.find()) {
            throw new IllegalStateException("the readers did not say what they read:\n" + output);
        }
        return new BacklogRead(
                Long.parseLong(matcher.group(1)),
                Long.parseLong(matcher.group(2)),
                Double.parseDouble(matcher.group(3)),
                Double.parseDouble(matcher.group(4)),
                Integer.parseInt(matcher.group(5)));
    }

    double mbPerSecond() {
        return bytes / 1e6 / seconds;
    }
}
