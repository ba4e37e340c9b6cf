package io.catchment.objectstore.cache;

import java.util.concurrent.ThreadLocalRandom;

/**
 * How long bytes that were not what was written are left alone before they are read again: at once they are mostly as bad, and every reader of
 * a store that garbles would ask three times as often as of a good one.
 */
final class RereadPause {
    private static final long FIRST_MS = 100;
    private static final int FACTOR = 4;

    private RereadPause() {}

    /** After so many attempts, between half and all of 100 ms, 400 ms and so on. */
    static long ms(int attempts) {
        long nominal = FIRST_MS;
        for (int i = 1; i < attempts; i++) {
            nominal *= FACTOR;
        }
        return nominal / 2 + ThreadLocalRandom.current().nextLong(nominal / 2 + 1);
    }
}
