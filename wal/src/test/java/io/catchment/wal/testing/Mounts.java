package io.catchment.wal.testing;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Other file systems for a test, where it runs as root. */
public final class Mounts {
    private Mounts() {}

    /** False where that cannot be done. */
    public static boolean mount(String type, Path at, String... options) throws InterruptedException {
        List<String> command = new ArrayList<>(List.of("mount", "-t", type));
        command.addAll(List.of(options));
        command.addAll(List.of("catchment-test", at.toString()));
        return run(command);
    }

    public static boolean unmount(Path at) throws InterruptedException {
        return run(List.of("umount", at.toString()));
    }

    private static boolean run(List<String> command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException noSuchCommand) {
            return false;
        }
    }
}
