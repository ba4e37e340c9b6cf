package io.catchment.chaos.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.history.Violation.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** A true history passes; each way of breaking it is noticed and called by its name. */
class HistoryCheckerTest {
    private record Entry(int partition, long offset, Stamp stamp, byte[] value) {}

    private final AckLog acks = new AckLog();
    private final List<Entry> log = new ArrayList<>();
    private final Sightings reader = new Sightings("a reader");
    private final Map<Integer, Long> sent = Map.of(0, 100L, 1, 100L);

    /** Two producers, two partitions, all acknowledged. */
    private void trueHistory() {
        long[] next = new long[2];
        for (int sequence = 0; sequence < 100; sequence++) {
            for (int producer = 0; producer < 2; producer++) {
                int partition = sequence % 2;
                Entry entry = entry(partition, next[partition]++, producer, sequence);
                log.add(entry);
                acks.acknowledged(partition, entry.offset, producer, sequence, entry.stamp.crc());
            }
        }
    }

    private static Entry entry(int partition, long offset, int producer, long sequence) {
        byte[] value = ("value " + producer + " " + sequence).getBytes(java.nio.charset.StandardCharsets.UTF_8);
        return new Entry(partition, offset, Stamp.of(producer, sequence, value), value);
    }

    private Set<Kind> check() {
        var verdict = new Verdict();
        var checker = new HistoryChecker(acks, sent, List.of(reader), verdict);
        log.forEach(entry -> checker.read(entry.partition, entry.offset, entry.stamp, entry.value));
        checker.finish();
        Set<Kind> kinds = new TreeSet<>();
        verdict.violations().forEach(violation -> kinds.add(violation.kind()));
        assertThat(verdict.clean()).isEqualTo(kinds.isEmpty());
        return kinds;
    }

    private int indexOf(int partition, long offset) {
        for (int i = 0; i < log.size(); i++) {
            if (log.get(i).partition == partition && log.get(i).offset == offset) {
                return i;
            }
        }
        throw new AssertionError("no entry");
    }

    private Entry at(int partition, long offset) {
        return log.get(indexOf(partition, offset));
    }

    @Test
    void trueHistoryIsClean() {
        trueHistory();
        assertThat(check()).isEmpty();
    }

    @Test
    void recordThatIsMissingInTheMiddleIsLostAndLeavesAGap() {
        trueHistory();
        log.remove(at(1, 17));
        assertThat(check()).containsExactlyInAnyOrder(Kind.LOST, Kind.OFFSETS);
    }

    @Test
    void truncatedTailIsLost() {
        trueHistory();
        log.remove(at(0, 99));
        assertThat(check()).containsExactly(Kind.LOST);
    }

    @Test
    void wholePartitionThatIsGoneIsLost() {
        trueHistory();
        log.removeIf(entry -> entry.partition == 1);
        assertThat(check()).containsExactly(Kind.LOST);
    }

    @Test
    void offsetGivenToAnotherRecordIsALoss() {
        trueHistory();
        // the cluster lost offset 99 and gave it to a record it never acknowledged
        log.set(indexOf(0, 99), entry(0, 99, 0, 99));
        assertThat(check()).contains(Kind.LOST);
    }

    @Test
    void recordAppendedTwiceIsADuplicate() {
        trueHistory();
        Entry last = at(0, 99);
        log.add(new Entry(0, 100, last.stamp, last.value));
        assertThat(check()).containsExactly(Kind.DUPLICATED);
    }

    /** In each of the two partitions the producer's records are in order, and nothing says that the copy was not sent. */
    @Test
    void recordThatIsInASecondPartitionTooIsADuplicate() {
        for (int sequence = 0; sequence < 20; sequence++) {
            Entry entry = entry(sequence / 10, sequence % 10, 0, sequence);
            log.add(entry);
            acks.acknowledged(entry.partition, entry.offset, 0, sequence, entry.stamp.crc());
        }
        Entry copied = at(1, 5);
        log.add(new Entry(0, 10, copied.stamp, copied.value));
        assertThat(check()).containsExactly(Kind.DUPLICATED);
    }

    @Test
    void swappedRecordsOfOneProducerAreReordered() {
        trueHistory();
        int first = indexOf(0, 10);
        int second = indexOf(0, 12);
        Entry a = log.get(first);
        Entry b = log.get(second);
        assertThat(a.stamp.producer()).isEqualTo(b.stamp.producer());
        log.set(first, new Entry(0, 10, b.stamp, b.value));
        log.set(second, new Entry(0, 12, a.stamp, a.value));
        assertThat(check()).contains(Kind.REORDERED);
    }

    @Test
    void oneFlippedBitIsCorruption() {
        trueHistory();
        at(1, 5).value[3] ^= 1;
        assertThat(check()).containsExactly(Kind.CORRUPTED);
    }

    @Test
    void consistentReplacementOfValueAndStampIsStillCorruption() {
        trueHistory();
        Entry old = at(1, 5);
        byte[] other = "something else".getBytes(java.nio.charset.StandardCharsets.UTF_8);
        log.set(indexOf(1, 5), new Entry(1, 5, Stamp.of(old.stamp.producer(), old.stamp.sequence(), other), other));
        assertThat(check()).containsExactly(Kind.CORRUPTED);
    }

    @Test
    void recordNobodySentIsAnInvention() {
        trueHistory();
        log.add(entry(0, 100, 0, 100));
        assertThat(check()).containsExactly(Kind.INVENTED);
    }

    @Test
    void recordWithoutAStampIsAnInvention() {
        trueHistory();
        var verdict = new Verdict();
        var checker = new HistoryChecker(new AckLog(), sent, verdict);
        checker.read(0, 0, null, new byte[3]);
        checker.finish();
        assertThat(verdict.violations()).extracting(Violation::kind).containsExactly(Kind.INVENTED);
    }

    @Test
    void sameOffsetTwiceIsNoticed() {
        trueHistory();
        log.add(indexOf(0, 50), at(0, 50));
        assertThat(check()).contains(Kind.OFFSETS, Kind.DUPLICATED);
    }

    @Test
    void recordThatWasNeverAcknowledgedMayBeThereOnceButNotTwice() {
        for (int sequence = 0; sequence < 5; sequence++) {
            Entry entry = entry(0, sequence, 0, sequence);
            log.add(entry);
            if (sequence < 3) {
                acks.acknowledged(0, sequence, 0, sequence, entry.stamp.crc());
            }
        }
        assertThat(check()).isEmpty();
        log.add(new Entry(0, 5, at(0, 4).stamp, at(0, 4).value));
        assertThat(check()).containsExactly(Kind.DUPLICATED);
    }

    @Test
    void oneOffsetAcknowledgedForTwoRecordsIsNoticed() {
        trueHistory();
        Entry other = entry(0, 7, 1, 99);
        acks.acknowledged(0, 7, 1, 99, other.stamp.crc());
        assertThat(check()).containsExactly(Kind.DUPLICATED);
    }

    @Test
    void readerThatHadWhatIsThereIsRight() {
        trueHistory();
        log.forEach(entry -> reader.seen(entry.partition, entry.offset, entry.stamp));
        assertThat(check()).isEmpty();
    }

    @Test
    void readerThatHadARecordBeyondTheEndSawItVanish() {
        trueHistory();
        reader.seen(0, 100, entry(0, 100, 1, 7).stamp);
        assertThat(check()).containsExactly(Kind.VANISHED);
    }

    @Test
    void readerThatHadAnotherRecordAtAnOffsetSawItVanish() {
        trueHistory();
        Entry there = at(1, 17);
        reader.seen(1, 17, entry(1, 17, there.stamp.producer(), there.stamp.sequence() + 2).stamp);
        assertThat(check()).containsExactly(Kind.VANISHED);
    }

    @Test
    void readerThatHadOtherBytesSawThemVanish() {
        trueHistory();
        Stamp there = at(1, 17).stamp;
        reader.seen(1, 17, new Stamp(there.producer(), there.sequence(), there.crc() + 1, there.sentNanos()));
        assertThat(check()).containsExactly(Kind.VANISHED);
    }
}
