package io.catchment.wal.lane;

/**
 * @param extentBytes an extent this long is due to roll
 * @param slackBytes how much longer it may get before the lane rolls by itself
 * @param growthBytesMax how long it may get while no next extent can be created; then frames queue
 * @param rollMs an extent with a frame this old is due to roll
 * @param rollTimeoutMs after this long without {@code roll} the lane rolls by itself
 * @param queueBytesMax bytes accepted and not acknowledged, framing included; a single frame is always accepted
 * @param groupBytesMax bytes of one write; a single frame may be longer
 * @param retryFirstMs first delay after a fault, doubling up to {@code retryLastMs}
 * @param quorum how the lane lives with several replicas
 */
public record LaneConfig(
        long extentBytes,
        long slackBytes,
        long growthBytesMax,
        long rollMs,
        long rollTimeoutMs,
        long queueBytesMax,
        int groupBytesMax,
        long retryFirstMs,
        long retryLastMs,
        QuorumConfig quorum) {

    public LaneConfig {
        boolean sizes = extentBytes >= 32 << 10
                && slackBytes >= 0
                && growthBytesMax >= extentBytes + slackBytes
                && growthBytesMax <= 1 << 30
                && queueBytesMax > 0
                && groupBytesMax > 0;
        boolean times = rollMs > 0 && rollTimeoutMs > 0 && retryFirstMs > 0 && retryLastMs >= retryFirstMs;
        if (!sizes || !times) {
            throw new IllegalArgumentException("lane config out of range: extent bytes " + extentBytes + " (+ "
                    + slackBytes
                    + ", at most " + growthBytesMax + "), queue bytes " + queueBytesMax + ", group bytes "
                    + groupBytesMax
                    + ", roll ms " + rollMs + "/" + rollTimeoutMs + ", retry ms " + retryFirstMs + ".." + retryLastMs);
        }
    }

    /** How long an extent may get while the next one is just being created and nothing has failed. */
    long waitBytes() {
        return Math.min(growthBytesMax, 2 * hardBytes());
    }

    long hardBytes() {
        return extentBytes + slackBytes;
    }
}
