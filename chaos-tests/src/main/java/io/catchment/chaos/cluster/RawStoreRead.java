package io.catchment.chaos.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a process of its own gets from an object store with the node's own client, without a node: to hold a node's reads against.
 *
 * @param cpuSeconds of the process
 */
public record RawStoreRead(long bytes, double seconds, double cpuSeconds) {
    private static final String MAIN = "io.catchment.objectstore.testing.RawRead";
    private static final Pattern LINE = Pattern.compile("raw read: bytes (\\d+) seconds ([\\d.]+) cpu ([\\d.]+)");

    /**
     * Reads published objects in ranges of 8 MiB.
     *
     * @param places ranges at a time
     * @param prefix of the command, as {@code nice}
     */
    public static RawStoreRead run(String uri, long bytesMax, int places, List<String> prefix) {
        List<String> command = new ArrayList<>(prefix);
        try {
            command.addAll(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx512m",
                    "-cp",
                    Files.readString(Checkout.testClassPath()).strip(),
                    MAIN,
                    uri,
                    String.valueOf(bytesMax),
                    String.valueOf(places)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String output = Commands.run(Duration.ofMinutes(30), Map.of(), command);
        Matcher matcher = LINE.matcher(output);
        if (!matcher.find()) {
            throw new IllegalStateException("the raw reader did not say what it read:\n" + output);
        }
        return new RawStoreRead(
                Long.parseLong(matcher.group(1)),
                Double.parseDouble(matcher.group(2)),
                Double.parseDouble(matcher.group(3)));
    }

    public double mbPerSecond() {
        return bytes / 1e6 / seconds;
    }
}
