package io.catchment.wal.lane;

/**
 * How a lane lives with several replicas.
 *
 * @param noopMs an idle lane asks its quorum this often whether it still is the writer
 * @param graceMs a quorum that has created the next extent waits so long for the other members while frames wait for it
 * @param graceAheadMs the same while the frames still have another extent
 * @param tickMs how often slow replicas are looked for
 * @param lagMsMax a replica that has not answered for so long is left behind
 * @param lagBytesMax the same for bytes kept in memory for it
 * @param suspendAfterMs a lane without quorum refuses frames only after this long: usually another ensemble is found sooner
 * @param avoidMs how long no new extent is wanted on a store that failed
 * @param localEndMsMax how long the beginning, the end and the recovery of an extent wait for this node's own store, which has no
 *     connection that would end
 * @param renewFirstMs first delay before another whole ensemble is looked for again, doubling up to {@code renewLastMs}
 */
public record QuorumConfig(
        long noopMs,
        long graceMs,
        long graceAheadMs,
        long tickMs,
        long lagMsMax,
        long lagBytesMax,
        long suspendAfterMs,
        long avoidMs,
        long localEndMsMax,
        long renewFirstMs,
        long renewLastMs) {

    public QuorumConfig {
        boolean times = noopMs > 0
                && graceMs >= 0
                && graceAheadMs >= graceMs
                && tickMs > 0
                && lagMsMax >= tickMs
                && suspendAfterMs >= 0
                && avoidMs > 0
                && localEndMsMax > 0
                && renewFirstMs > 0
                && renewLastMs >= renewFirstMs;
        if (!times || lagBytesMax <= 0) {
            throw new IllegalArgumentException("quorum config out of range: noop " + noopMs + ", grace " + graceMs
                    + "/" + graceAheadMs + ", tick " + tickMs
                    + ", lag " + lagMsMax + " ms, " + lagBytesMax + " bytes, suspend " + suspendAfterMs + ", avoid "
                    + avoidMs + ", local end " + localEndMsMax + ", renew " + renewFirstMs + ".." + renewLastMs);
        }
    }

    public static QuorumConfig defaults() {
        return new QuorumConfig(1_000, 300, 800, 250, 1_000, 64 << 20, 1_000, 10_000, 5_000, 1_000, 30_000);
    }
}
