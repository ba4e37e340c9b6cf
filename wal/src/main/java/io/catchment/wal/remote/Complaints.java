package io.catchment.wal.remote;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes of connections that were ended for what they sent, one line a second at most: anybody who reaches the port can make more. A node that
 * was greeted and then speaks nonsense is an error, a stranger is none. Guarded by its lock.
 */
final class Complaints {
    private static final Logger LOG = LoggerFactory.getLogger(Complaints.class);
    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final LongSupplier nanos;
    private final Limit nodes;
    private final Limit strangers;

    private final class Limit {
        private long nextNanos = nanos.getAsLong();
        private long withheld;

        /** How many were withheld before this one; -1: withhold it too. */
        private long next() {
            long now = nanos.getAsLong();
            if (now - nextNanos < 0) {
                withheld++;
                return -1;
            }
            nextNanos = now + INTERVAL_NANOS;
            long before = withheld;
            withheld = 0;
            return before;
        }
    }

    Complaints(LongSupplier nanos) {
        this.nanos = nanos;
        this.nodes = new Limit();
        this.strangers = new Limit();
    }

    /** Whether a line was written. */
    synchronized boolean brokeTheProtocol(String peer, boolean greeted, String what) {
        long others = (greeted ? nodes : strangers).next();
        if (others >= 0 && greeted) {
            LOG.error("{} broke the WAL protocol, its connection ends: {} ({} like it not shown)", peer, what, others);
        } else if (others >= 0) {
            LOG.warn(
                    "{} does not speak the WAL protocol, its connection ends: {} ({} like it not shown)",
                    peer,
                    what,
                    others);
        }
        return others >= 0;
    }

    synchronized boolean refused(String peer, String why) {
        long others = strangers.next();
        if (others >= 0) {
            LOG.warn("{} is refused: {} ({} like it not shown)", peer, why, others);
        }
        return others >= 0;
    }
}
