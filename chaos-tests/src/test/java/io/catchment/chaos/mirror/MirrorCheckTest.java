package io.catchment.chaos.mirror;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.chaos.history.Verdict;
import io.catchment.chaos.history.Violation;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

/** That the check of a mirror bites: each way of breaking it is reported. */
class MirrorCheckTest {
    private static final TopicPartition WHERE = new TopicPartition("A.orders", 0);

    private final Verdict verdict = new Verdict();
    private final List<Long> sent = LongStream.range(100, 110).boxed().toList();

    private static ConsumerRecord<byte[], byte[]> read(long number) {
        var content = Content.of(WHERE.topic(), WHERE.partition(), number);
        return read(content.key(), content.value(), content.timestamp(), new RecordHeaders(content.headers()));
    }

    private static ConsumerRecord<byte[], byte[]> read(
            byte[] key, byte[] value, long timestamp, RecordHeaders headers) {
        return new ConsumerRecord<>(
                WHERE.topic(),
                WHERE.partition(),
                7,
                timestamp,
                TimestampType.CREATE_TIME,
                0,
                0,
                key,
                value,
                headers,
                Optional.empty());
    }

    private List<Violation.Kind> kinds(List<ConsumerRecord<byte[], byte[]>> mirrored) {
        MirrorCheck.partition(WHERE, sent, mirrored, verdict);
        return verdict.violations().stream().map(Violation::kind).toList();
    }

    private List<ConsumerRecord<byte[], byte[]>> mirror(Long... numbers) {
        return new ArrayList<>(Arrays.stream(numbers).map(MirrorCheckTest::read).toList());
    }

    private List<ConsumerRecord<byte[], byte[]>> whole() {
        return mirror(sent.toArray(Long[]::new));
    }

    @Test
    void aFaithfulMirrorIsTaken() {
        assertThat(kinds(whole())).isEmpty();
    }

    @Test
    void lossIsReported() {
        var mirrored = whole();
        mirrored.remove(4);
        mirrored.remove(8);
        assertThat(kinds(mirrored)).containsExactly(Violation.Kind.LOST, Violation.Kind.LOST);
    }

    @Test
    void reorderingIsReported() {
        var mirrored = whole();
        mirrored.add(6, mirrored.remove(5));
        assertThat(kinds(mirrored)).containsExactly(Violation.Kind.REORDERED);
    }

    @Test
    void repetitionIsReported() {
        var mirrored = whole();
        mirrored.add(6, mirrored.get(3));
        assertThat(kinds(mirrored)).containsExactly(Violation.Kind.DUPLICATED);
    }

    @Test
    void recordsOfNobodyAndOfOtherPartitionsAreReported() {
        var mirrored = whole();
        mirrored.add(read(110));
        mirrored.add(read("k".getBytes(StandardCharsets.UTF_8), new byte[0], 0, new RecordHeaders()));
        assertThat(kinds(mirrored)).containsExactly(Violation.Kind.INVENTED, Violation.Kind.INVENTED);
    }

    @Test
    void anyOtherByteIsReported() {
        var mirrored = whole();
        var first = mirrored.get(0);
        var headers = new RecordHeaders(first.headers());
        mirrored.set(0, read(new byte[] {1}, first.value(), first.timestamp(), headers));
        mirrored.set(
                1, read(mirrored.get(1).key(), new byte[] {1}, mirrored.get(1).timestamp(), headers(1)));
        mirrored.set(2, read(mirrored.get(2).key(), mirrored.get(2).value(), 1, headers(2)));
        RecordHeaders more = headers(3);
        more.add("more", new byte[0]);
        mirrored.set(
                3,
                read(
                        mirrored.get(3).key(),
                        mirrored.get(3).value(),
                        mirrored.get(3).timestamp(),
                        more));
        assertThat(kinds(mirrored)).hasSize(4).allSatisfy(kind -> assertThat(kind)
                .isEqualTo(Violation.Kind.CORRUPTED));
    }

    private RecordHeaders headers(int place) {
        return new RecordHeaders(read(sent.get(place)).headers());
    }

    @Test
    void aGroupMayReadAgainWhatItsBoundAllows() {
        assertThat(MirrorCheck.resumption("group", 100, 90, 10, verdict)).isEqualTo(10);
        assertThat(MirrorCheck.resumption("group", 100, 100, 0, verdict)).isZero();
        assertThat(verdict.clean()).isTrue();
    }

    @Test
    void aSkippedRecordIsReported() {
        MirrorCheck.resumption("group", 100, 101, 1000, verdict);
        assertThat(verdict.violations()).extracting(Violation::kind).containsExactly(Violation.Kind.LOST);
    }

    @Test
    void tooMuchReadAgainIsReported() {
        MirrorCheck.resumption("group", 100, 89, 10, verdict);
        assertThat(verdict.violations()).extracting(Violation::kind).containsExactly(Violation.Kind.DUPLICATED);
    }
}
