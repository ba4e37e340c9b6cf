package io.catchment.chaos.history;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Every record that one reader has been given while faults went on, to be held against the topic as it is afterwards: what a reader has
 * seen is there for ever (P2, P3). Recording is guarded by a lock, checking is owned by the thread that reads.
 */
public final class Sightings {
    private final String reader;
    private final AckLog seen = new AckLog();
    private final Map<Integer, Cursor> cursors = new HashMap<>();

    /** @param reader its name in reports */
    public Sightings(String reader) {
        this.reader = reader;
    }

    /** A record without a stamp of ours is left to the check of the topic itself. */
    public void seen(int partition, long offset, @Nullable Stamp stamp) {
        if (stamp != null) {
            seen.acknowledged(partition, offset, stamp.producer(), stamp.sequence(), stamp.crc());
        }
    }

    public long count() {
        return seen.count();
    }

    /** The topic has this record; in the order of offsets for each partition. */
    void check(int partition, long offset, Stamp stamp, Verdict verdict) {
        Cursor cursor = cursor(partition);
        cursor.vanishedUpTo(offset, verdict);
        AckLog.Acks all = cursor.all;
        if (cursor.next < all.size() && all.offset()[cursor.next] == offset) {
            int i = cursor.next++;
            if (all.producer()[i] != stamp.producer()
                    || all.sequence()[i] != stamp.sequence()
                    || all.crc()[i] != stamp.crc()) {
                verdict.violation(
                        Violation.Kind.VANISHED,
                        "partition %d offset %d: %s got record %d of producer %d, now it is record %d of producer %d"
                                .formatted(
                                        partition,
                                        offset,
                                        reader,
                                        all.sequence()[i],
                                        all.producer()[i],
                                        stamp.sequence(),
                                        stamp.producer()));
            }
        }
    }

    /** The topic has no more. */
    void finish(Verdict verdict) {
        for (int partition = 0; partition < seen.partitionsEnd(); partition++) {
            cursor(partition).vanishedUpTo(Long.MAX_VALUE, verdict);
        }
    }

    private Cursor cursor(int partition) {
        return cursors.computeIfAbsent(partition, p -> new Cursor(p, seen.of(p)));
    }

    private final class Cursor {
        private final int partition;
        private final AckLog.Acks all;
        private int next;

        Cursor(int partition, AckLog.Acks all) {
            this.partition = partition;
            this.all = all;
        }

        void vanishedUpTo(long offset, Verdict verdict) {
            while (next < all.size() && all.offset()[next] < offset) {
                verdict.violation(
                        Violation.Kind.VANISHED,
                        "partition %d offset %d: %s got record %d of producer %d there"
                                .formatted(
                                        partition,
                                        all.offset()[next],
                                        reader,
                                        all.sequence()[next],
                                        all.producer()[next]));
                next++;
            }
        }
    }
}
