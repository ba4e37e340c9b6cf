package io.catchment.chaos.clients;

import io.catchment.chaos.cluster.Checkout;
import io.catchment.chaos.cluster.Commands;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs the client programs; what they read and print goes through files of one folder. Owned by the thread that runs the scenario. */
final class Programs {
    private static final int LIMIT_S = 300;

    private final Path folder;
    private int count;

    Programs(Path folder) throws IOException {
        this.folder = folder;
        Files.createDirectories(folder);
    }

    /**
     * The command line of a client, fetched or compiled on first use.
     *
     * @throws IllegalStateException when that is not possible, with the reason
     */
    static List<String> install(String client) {
        String printed = Commands.run(
                Duration.ofMinutes(10),
                Map.of(),
                List.of(Checkout.clientInstaller().toString(), client));
        String file = printed.lines().reduce("", (first, last) -> last);
        try {
            return Files.readAllLines(Path.of(file));
        } catch (IOException e) {
            throw new IllegalStateException("no command in " + printed, e);
        }
    }

    Path input(List<String> lines) throws IOException {
        Path file = next("in");
        Files.write(file, lines);
        return file;
    }

    Path next(String kind) {
        return folder.resolve(++count + "." + kind);
    }

    /** Lines it printed. */
    List<String> run(List<String> command, Path input) throws IOException, InterruptedException {
        Path output = runToFile(command, input);
        return Files.readAllLines(output);
    }

    /** The file it printed to. */
    Path runToFile(List<String> command, Path input) throws IOException, InterruptedException {
        Path output = next("out");
        Path errors = next("err");
        Process process = new ProcessBuilder(command)
                .redirectInput(input.toFile())
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile())
                .start();
        boolean ended = process.waitFor(LIMIT_S, TimeUnit.SECONDS);
        if (!ended) {
            process.destroyForcibly();
        }
        if (!ended || process.exitValue() != 0) {
            throw new IllegalStateException((ended ? "returned " + process.exitValue() : "not done in time") + ": "
                    + brief(command) + "\n" + Files.readString(errors, StandardCharsets.UTF_8));
        }
        return output;
    }

    /** The same with its errors in its output. */
    Process startWithErrors(List<String> command) throws IOException {
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    /** One that goes on; its output is the caller's. */
    Process start(List<String> command) throws IOException {
        return new ProcessBuilder(command).redirectError(next("err").toFile()).start();
    }

    static List<String> brief(List<String> command) {
        List<String> shown = new ArrayList<>(command);
        shown.removeIf(word -> word.startsWith("-X") || word.contains("/*"));
        return shown;
    }
}
