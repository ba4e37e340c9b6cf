package io.catchment.chaos.cluster;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Signals to processes. */
final class Signals {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private Signals() {}

    /** kill -9 of all at once; returns when they are dead. */
    static void kill(Collection<Long> pids) {
        // the processes belong to init, or to nobody: isAlive sees them end all the same
        List<ProcessHandle> processes =
                pids.stream().flatMap(pid -> ProcessHandle.of(pid).stream()).toList();
        processes.forEach(ProcessHandle::destroyForcibly);
        Await.until("death of " + pids, LIMIT, () -> processes.stream().noneMatch(ProcessHandle::isAlive));
    }

    static void pause(long pid) {
        send("-STOP", pid);
    }

    static void resume(long pid) {
        send("-CONT", pid);
    }

    private static void send(String signal, long pid) {
        Commands.run(LIMIT, Map.of(), List.of("kill", signal, String.valueOf(pid)));
    }
}
