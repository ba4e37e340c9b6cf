package io.catchment.chaos.mirror;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;

/** What is in a record: all of it follows from its number, which is in a header, since key and value may be null. */
final class Content {
    private static final String NUMBER = "number";
    /** 1 January 2020; each record is one second younger than the one before. */
    private static final long FIRST_MS = 1_577_836_800_000L;

    private static final int VALUE_BYTES_MAX = 400;

    private Content() {}

    static ProducerRecord<byte[], byte[]> of(String topic, int partition, long number) {
        var random = new SplittableRandom(number);
        byte[] key = bytes(random, 20);
        byte[] value = bytes(random, VALUE_BYTES_MAX);
        Header first = new RecordHeader(
                NUMBER, ByteBuffer.allocate(Long.BYTES).putLong(number).array());
        Header second = new RecordHeader("twice", bytes(random, 10));
        Header third = new RecordHeader("twice", bytes(random, 10));
        List<Header> headers = List.of(first, second, third).subList(0, 1 + random.nextInt(3));
        return new ProducerRecord<>(topic, partition, FIRST_MS + 1000 * number, key, value, headers);
    }

    /** Null, empty or any bytes. */
    private static byte @Nullable [] bytes(SplittableRandom random, int most) {
        int kind = random.nextInt(10);
        if (kind == 0) {
            return null;
        }
        byte[] bytes = new byte[kind == 1 ? 0 : 1 + random.nextInt(most)];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Of a record of this kind; -1 for another one. */
    static long number(ConsumerRecord<byte[], byte[]> read) {
        Header header = read.headers().lastHeader(NUMBER);
        return header == null || header.value() == null || header.value().length != Long.BYTES
                ? -1
                : ByteBuffer.wrap(header.value()).getLong();
    }

    /** Whether key, value, headers and time are those of the record with its number. */
    static boolean intact(ConsumerRecord<byte[], byte[]> read) {
        var sent = of(read.topic(), read.partition(), number(read));
        return Arrays.equals(sent.key(), read.key())
                && Arrays.equals(sent.value(), read.value())
                && sent.headers().equals(read.headers())
                && sent.timestamp() == read.timestamp();
    }
}
