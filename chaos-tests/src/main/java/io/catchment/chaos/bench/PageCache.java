package io.catchment.chaos.bench;

import io.catchment.chaos.cluster.Commands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The machine's page cache. */
public final class PageCache {
    private static final Path DROP = Path.of("/proc/sys/vm/drop_caches");

    private PageCache() {}

    /** Writes out what is dirty, so that one contender's writes do not fall into the other's run. */
    static void writeBack() {
        Commands.run(Duration.ofMinutes(5), Map.of(), List.of("sync"));
    }

    /** Whether it could be dropped: that takes root. */
    public static boolean drop() {
        writeBack();
        try {
            Files.writeString(DROP, "3");
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
