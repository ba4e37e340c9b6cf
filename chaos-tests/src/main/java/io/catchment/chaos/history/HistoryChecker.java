package io.catchment.chaos.history;

import io.catchment.chaos.history.Violation.Kind;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Holds a topic, read from its beginning, against what was acknowledged. For idempotent producers, on a topic nobody else
 * writes to and that has no compaction or transactions:
 *
 * <ul>
 *   <li>every acknowledged record is at its offset, with the bytes that were sent (P2);
 *   <li>offsets are contiguous from the log start (P1);
 *   <li>in each partition a producer's records come in the order of its sends, and each is there at most once, over all partitions; that
 *       holds for those that were never acknowledged too;
 *   <li>nothing is there that nobody sent;
 *   <li>what a reader has been given meanwhile is there, where it was ({@link Sightings}).
 * </ul>
 *
 * Owned by the thread that reads. One pass, state per partition and producer, and a bit per record.
 */
public final class HistoryChecker {
    private final AckLog acks;
    private final Map<Integer, Long> sentByProducer;
    private final Verdict verdict;
    private final List<Sightings> readers;
    private final Map<Integer, Cursor> cursors = new HashMap<>();
    private final Map<Integer, BitSet> found = new HashMap<>();
    private long read;
    private long unacknowledged;

    /** @param sentByProducer how many records each producer has handed to its client: sequences are below that */
    public HistoryChecker(AckLog acks, Map<Integer, Long> sentByProducer, Verdict verdict) {
        this(acks, sentByProducer, List.of(), verdict);
    }

    /** @param readers who have stopped reading by now */
    public HistoryChecker(AckLog acks, Map<Integer, Long> sentByProducer, List<Sightings> readers, Verdict verdict) {
        this.acks = acks;
        this.sentByProducer = Map.copyOf(sentByProducer);
        this.readers = List.copyOf(readers);
        this.verdict = verdict;
    }

    /** To be called in the order of offsets for each partition. */
    public void read(int partition, long offset, @Nullable Stamp stamp, byte[] value) {
        read++;
        Cursor cursor = cursors.computeIfAbsent(partition, p -> new Cursor(p, acks.of(p)));
        cursor.offset(offset);
        if (stamp == null) {
            verdict.violation(Kind.INVENTED, at(partition, offset) + ": no stamp of ours");
            return;
        }
        int crc = Stamp.crc(value);
        if (crc != stamp.crc()) {
            verdict.violation(
                    Kind.CORRUPTED,
                    "%s: CRC of the value %08x, sent %08x".formatted(at(partition, offset), crc, stamp.crc()));
        }
        if (stamp.sequence() < 0 || stamp.sequence() >= sentByProducer.getOrDefault(stamp.producer(), 0L)) {
            verdict.violation(Kind.INVENTED, "%s: %s was never sent".formatted(at(partition, offset), name(stamp)));
        } else {
            boolean again = isAgain(stamp);
            if (cursor.order(offset, stamp) && again) {
                verdict.violation(
                        Kind.DUPLICATED,
                        "%s: %s is in another partition too".formatted(at(partition, offset), name(stamp)));
            }
        }
        readers.forEach(reader -> reader.check(partition, offset, stamp, verdict));
        if (!cursor.acknowledged(offset, stamp, crc)) {
            unacknowledged++;
        }
    }

    /** A record belongs to one partition: in two it can be in order in both. */
    private boolean isAgain(Stamp stamp) {
        BitSet known = found.computeIfAbsent(stamp.producer(), producer -> new BitSet());
        int sequence = Math.toIntExact(stamp.sequence());
        boolean again = known.get(sequence);
        known.set(sequence);
        return again;
    }

    /** To be called when all was read: what is still missing is lost. */
    public void finish() {
        for (int partition = 0; partition < acks.partitionsEnd(); partition++) {
            int p = partition;
            cursors.computeIfAbsent(p, key -> new Cursor(key, acks.of(key))).lostUpTo(Long.MAX_VALUE);
        }
        readers.forEach(reader -> reader.finish(verdict));
    }

    public long readCount() {
        return read;
    }

    /** Records found that were sent but never acknowledged: allowed, once each. */
    public long unacknowledgedCount() {
        return unacknowledged;
    }

    private static String at(int partition, long offset) {
        return "partition " + partition + " offset " + offset;
    }

    private static String name(Stamp stamp) {
        return "record " + stamp.sequence() + " of producer " + stamp.producer();
    }

    private final class Cursor {
        private final int partition;
        private final AckLog.Acks acks;
        private final Map<Integer, Long> lastSequence = new HashMap<>();
        private int next;
        private long nextOffset;

        Cursor(int partition, AckLog.Acks acks) {
            this.partition = partition;
            this.acks = acks;
        }

        void offset(long offset) {
            if (offset != nextOffset) {
                verdict.violation(Kind.OFFSETS, at(partition, offset) + ": expected offset " + nextOffset);
            }
            nextOffset = offset + 1;
        }

        /** Whether it was. */
        boolean order(long offset, Stamp stamp) {
            Long last = lastSequence.get(stamp.producer());
            if (last != null && stamp.sequence() <= last) {
                Kind kind = stamp.sequence() == last ? Kind.DUPLICATED : Kind.REORDERED;
                verdict.violation(kind, "%s: %s after record %d".formatted(at(partition, offset), name(stamp), last));
                return false;
            }
            lastSequence.put(stamp.producer(), stamp.sequence());
            return true;
        }

        /** Whether the record at this offset had been acknowledged. */
        boolean acknowledged(long offset, Stamp stamp, int crc) {
            lostUpTo(offset);
            if (next == acks.size() || acks.offset()[next] != offset) {
                return false;
            }
            int i = next++;
            if (acks.producer()[i] != stamp.producer() || acks.sequence()[i] != stamp.sequence()) {
                verdict.violation(
                        Kind.LOST,
                        "%s: acknowledged as record %d of producer %d, holds %s"
                                .formatted(at(partition, offset), acks.sequence()[i], acks.producer()[i], name(stamp)));
            } else if (acks.crc()[i] != crc) {
                verdict.violation(
                        Kind.CORRUPTED,
                        "%s: CRC of the value %08x, acknowledged %08x"
                                .formatted(at(partition, offset), crc, acks.crc()[i]));
            }
            // a second acknowledgement for one offset can only be a wrong one
            while (next < acks.size() && acks.offset()[next] == offset) {
                verdict.violation(
                        Kind.DUPLICATED,
                        "%s: acknowledged twice, also as record %d of producer %d"
                                .formatted(at(partition, offset), acks.sequence()[next], acks.producer()[next]));
                next++;
            }
            return true;
        }

        void lostUpTo(long offset) {
            while (next < acks.size() && acks.offset()[next] < offset) {
                verdict.violation(
                        Kind.LOST,
                        "%s: record %d of producer %d was acknowledged there"
                                .formatted(
                                        at(partition, acks.offset()[next]),
                                        acks.sequence()[next],
                                        acks.producer()[next]));
                next++;
            }
        }
    }
}
