package io.catchment.chaos.cluster;

import java.util.List;

/** Processes that stand for other machines, though they share the cores of this one. */
public final class OtherMachine {
    private OtherMachine() {}

    /**
     * Goes before the words of a command. The process gets a session of its own: Linux shares out the CPU among sessions first (autogroups), so a nice value
     * alone would only count against what runs in the same one.
     *
     * @param nice 0: no different from others
     */
    public static List<String> command(int nice) {
        return nice == 0
                ? List.of()
                : List.of(
                        "setsid",
                        "sh",
                        "-c",
                        "echo " + nice + " 2> /dev/null > /proc/self/autogroup; exec nice -n " + nice + " \"$@\"",
                        "sh");
    }
}
