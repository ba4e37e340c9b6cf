package io.catchment.broker.network;

import java.util.concurrent.TimeUnit;

/**
 * How large the next answer with records should be on one connection: about what its client takes in a second. Owned by the
 * connection's event loop.
 *
 * <p>Such an answer holds memory that others need until the client has read it. So a client is first given a little, more as it shows
 * that it reads, and less again when it turns slow; one that reads nothing never gets hold of more than the beginning.
 */
final class AnswerWindow {
    /** Kafka's default for what a client asks of one partition. */
    static final int BYTES_MIN = 1 << 20;

    private static final int BYTES_MAX = 1 << 30;
    private static final long QUICK_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long SLOW_NANOS = TimeUnit.SECONDS.toNanos(3);

    private int bytes = BYTES_MIN;

    int bytes() {
        return bytes;
    }

    /** The socket has taken an answer of this size in this time. */
    void taken(int answerBytes, long nanos) {
        if (nanos > SLOW_NANOS) {
            double inASecond = (double) answerBytes * QUICK_NANOS / nanos;
            bytes = (int) Math.max(BYTES_MIN, Math.min(bytes, inASecond));
        } else if (nanos <= QUICK_NANOS && answerBytes >= bytes / 2) {
            bytes = bytes > BYTES_MAX / 2 ? BYTES_MAX : bytes * 2;
        }
    }
}
