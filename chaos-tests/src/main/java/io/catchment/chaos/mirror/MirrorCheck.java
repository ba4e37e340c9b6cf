package io.catchment.chaos.mirror;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** What a mirrored partition must hold, and where a group must go on in it. Pure. */
final class MirrorCheck {
    private MirrorCheck() {}

    /**
     * Exactly the records that were sent, in their order.
     *
     * @param sent numbers, as the source partition has them
     * @param mirrored as a reader of committed records gets them
     */
    static void partition(
            TopicPartition where, List<Long> sent, List<ConsumerRecord<byte[], byte[]>> mirrored, Verdict verdict) {
        Map<Long, Integer> places = new HashMap<>();
        sent.forEach(number -> places.put(number, places.size()));
        var seen = new BitSet();
        int next = 0;
        for (ConsumerRecord<byte[], byte[]> read : mirrored) {
            long number = Content.number(read);
            Integer place = places.get(number);
            if (place == null) {
                verdict.violation(
                        Violation.Kind.INVENTED,
                        "%s at %d: record %d was never sent to this partition".formatted(where, read.offset(), number));
                continue;
            }
            if (!Content.intact(read)) {
                verdict.violation(
                        Violation.Kind.CORRUPTED,
                        "%s at %d: record %d is not as it was sent".formatted(where, read.offset(), number));
            }
            if (seen.get(place)) {
                verdict.violation(
                        Violation.Kind.DUPLICATED,
                        "%s at %d: record %d (%d. of the partition) again"
                                .formatted(where, read.offset(), number, place));
            } else if (place < next) {
                verdict.violation(
                        Violation.Kind.REORDERED,
                        "%s at %d: record %d (%d. of the partition) after the %d."
                                .formatted(where, read.offset(), number, place, next - 1));
            }
            seen.set(place);
            next = Math.max(next, place + 1);
        }
        for (int place = seen.nextClearBit(0); place < sent.size(); place = seen.nextClearBit(place + 1)) {
            verdict.violation(
                    Violation.Kind.LOST,
                    "%s: record %d (%d. of the partition) is not there".formatted(where, sent.get(place), place));
        }
    }

    /**
     * Nothing is skipped, and not too much read again.
     *
     * @param consumed records of the source partition that the group had consumed
     * @param first place in the source partition of the first record that the group gets in the mirror
     * @param againMax records that it may get again
     * @return records that it gets again
     */
    static long resumption(String who, long consumed, long first, long againMax, Verdict verdict) {
        if (first > consumed) {
            verdict.violation(
                    Violation.Kind.LOST,
                    "%s had consumed %d records and goes on with the %d.".formatted(who, consumed, first));
        } else if (consumed - first > againMax) {
            verdict.violation(
                    Violation.Kind.DUPLICATED,
                    "%s had consumed %d records and goes on with the %d.: %d again, may be %d"
                            .formatted(who, consumed, first, consumed - first, againMax));
        }
        return Math.max(0, consumed - first);
    }
}
