package io.catchment.chaos.catchup;

import java.util.Locale;

/**
 * What a run measured. Latencies in ms from the send to the receipt at the tail, rates in 10^6 bytes a second, CPU of processes.
 *
 * @param raw null for a server without an object store
 * @param nodeCoresQuiet that the node kept busy with the load at the tail alone
 * @param nodeCpuSecondsPerGb beyond that, for each 10^9 bytes that the readers got
 * @param pageCacheDropped whether the machine permitted it
 */
record CatchupFigures(
        Tail quiet,
        Raw raw,
        Tail catchingUp,
        double readMbPerSecond,
        double nodeCoresQuiet,
        double nodeCpuSecondsPerGb,
        double readersCpuSecondsPerGb,
        double nodeResidentMb,
        boolean pageCacheDropped) {

    record Tail(double p50Ms, double p99Ms) {}

    /** What a client of the store got without a node, and the tail meanwhile. */
    record Raw(double mbPerSecond, double cpuSecondsPerGb, Tail tail) {
        static final Raw NONE = new Raw(0, 0, new Tail(0, 0));
    }

    String table() {
        StringBuilder table = new StringBuilder();
        row(table, "tail, quiet: p50, p99 ms", quiet.p50Ms(), quiet.p99Ms());
        if (raw.mbPerSecond() > 0) {
            row(
                    table,
                    "tail, raw read of the store beside it",
                    raw.tail().p50Ms(),
                    raw.tail().p99Ms());
        }
        row(table, "tail, catching up", catchingUp.p50Ms(), catchingUp.p99Ms());
        row(table, "  times the quiet", catchingUp.p50Ms() / quiet.p50Ms(), catchingUp.p99Ms() / quiet.p99Ms());
        row(table, "caught up with MB/s", readMbPerSecond);
        if (raw.mbPerSecond() > 0) {
            row(
                    table,
                    "raw read of the store MB/s, caught up in % of it",
                    raw.mbPerSecond(),
                    100 * readMbPerSecond / raw.mbPerSecond());
        }
        row(table, "node: cores with the tail alone", nodeCoresQuiet);
        row(table, "node: CPU s/GB read beyond that", nodeCpuSecondsPerGb);
        row(table, "readers: CPU s/GB", readersCpuSecondsPerGb);
        if (raw.mbPerSecond() > 0) {
            row(table, "raw read: CPU s/GB", raw.cpuSecondsPerGb());
        }
        row(table, "node: most memory resident, MB", nodeResidentMb);
        row(table, "page cache dropped", pageCacheDropped ? 1 : 0);
        return table.toString();
    }

    private static void row(StringBuilder table, String what, double... values) {
        table.append(String.format(Locale.ROOT, "%-52s", what));
        for (double value : values) {
            table.append(String.format(Locale.ROOT, "%10.2f", value));
        }
        table.append('\n');
    }
}
