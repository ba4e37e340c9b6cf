package io.catchment.chaos.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What Linux's /proc says about a process and the machine. */
public final class ProcessCpu {
    private static final double TICKS_PER_SECOND = 100; // USER_HZ, fixed in the kernel's interface

    private ProcessCpu() {}

    /** User and system time of the process so far, seconds. */
    static double seconds(long pid) {
        String stat = read(Path.of("/proc/" + pid + "/stat"));
        // the command name may hold spaces: fields are counted from behind it; state is the first
        List<String> fields = List.of(stat.substring(stat.lastIndexOf(')') + 2).split(" "));
        return (Long.parseLong(fields.get(11)) + Long.parseLong(fields.get(12))) / TICKS_PER_SECOND;
    }

    /** Busy time of the whole machine so far, seconds over all cores. */
    static double machineSeconds() {
        String cpu = read(Path.of("/proc/stat")).lines().findFirst().orElseThrow();
        String[] fields = cpu.trim().split(" +", -1);
        long busy = 0;
        for (int i = 1; i < Math.min(fields.length, 10); i++) {
            boolean idle = i == 4 || i == 5;
            boolean countedInUser = i == 9;
            busy += idle || countedInUser ? 0 : Long.parseLong(fields[i]);
        }
        return busy / TICKS_PER_SECOND;
    }

    public static double residentMb(long pid) {
        return statusKb(pid, "VmRSS:") / 1024.0;
    }

    private static long statusKb(long pid, String field) {
        return read(Path.of("/proc/" + pid + "/status"))
                .lines()
                .filter(line -> line.startsWith(field))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
