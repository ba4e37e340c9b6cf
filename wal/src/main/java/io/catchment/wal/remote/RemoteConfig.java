package io.catchment.wal.remote;

/**
 * @param clusterId what both ends must agree on
 * @param appendTimeoutMs an append, creation or seal unanswered for so long ends the connection
 * @param recoveryTimeoutMs the same for fences, copies and reads, which may have to scan an extent first
 * @param retryFirstMs first delay before the next attempt to connect, doubling up to {@code retryLastMs}
 * @param unreadBytesMax of one connection's requests that this node's store has not answered: beyond it nothing is read
 */
public record RemoteConfig(
        String clusterId,
        long appendTimeoutMs,
        long recoveryTimeoutMs,
        long retryFirstMs,
        long retryLastMs,
        long unreadBytesMax) {

    public RemoteConfig {
        boolean times = appendTimeoutMs > 0 && recoveryTimeoutMs > 0 && retryFirstMs > 0 && retryLastMs >= retryFirstMs;
        if (!times || unreadBytesMax <= 0) {
            throw new IllegalArgumentException("remote config out of range: timeouts " + appendTimeoutMs + "/"
                    + recoveryTimeoutMs + " ms, retry " + retryFirstMs + ".." + retryLastMs + " ms, unread bytes "
                    + unreadBytesMax);
        }
    }

    public static RemoteConfig defaults(String clusterId) {
        return new RemoteConfig(clusterId, 5_000, 15_000, 50, 1_000, 64 << 20);
    }
}
