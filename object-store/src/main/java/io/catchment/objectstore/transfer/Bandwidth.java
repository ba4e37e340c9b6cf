package io.catchment.objectstore.transfer;

/**
 * Owned by its channel's lock. So many bytes a second on average: a transfer may begin while nothing is owed, and then owes all its bytes at
 * once, so that one larger than any burst needs no special case.
 */
final class Bandwidth {
    private static final double BURST_SECONDS = 0.25;

    private final long bytesPerSecond;
    private final double burst;
    private double free;
    private long atNanos;

    /** @param bytesPerSecond 0: no bound */
    Bandwidth(long bytesPerSecond, long nowNanos) {
        this.bytesPerSecond = bytesPerSecond;
        this.burst = bytesPerSecond * BURST_SECONDS;
        this.free = burst;
        this.atNanos = nowNanos;
    }

    /** Until when nothing more may begin: 0 if something may now. */
    long waitNanos(long nowNanos) {
        if (bytesPerSecond == 0) {
            return 0;
        }
        free = Math.min(burst, free + (nowNanos - atNanos) * 1e-9 * bytesPerSecond);
        atNanos = nowNanos;
        return free > 0 ? 0 : (long) Math.ceil((1 - free) / bytesPerSecond * 1e9);
    }

    void take(long bytes) {
        if (bytesPerSecond > 0) {
            free -= bytes;
        }
    }

    void giveBack(long bytes) {
        take(-bytes);
    }
}
