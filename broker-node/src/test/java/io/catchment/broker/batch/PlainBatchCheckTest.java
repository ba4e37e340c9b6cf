package io.catchment.broker.batch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32C;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The quick check against Kafka's own: it may send a good batch the long way, but never takes what Kafka would not. */
@Timeout(60)
class PlainBatchCheckTest {
    private static final TopicPartition PARTITION = new TopicPartition("t", 0);
    private static final long NOW_MS = 1_800_000_000_000L;
    private static final long AFTER_MAX_MS = 3_600_000L;

    private final PlainBatchCheck check = new PlainBatchCheck();
    private final LogValidatorCheck kafka = new LogValidatorCheck(Time.SYSTEM);

    @Test
    void takesWhatAStockProducerSends() {
        Random random = new Random(7);
        for (int i = 0; i < 500; i++) {
            ByteBuffer batch = batch(random, Compression.NONE);
            assertThat(taken(batch)).as("batch %d", i).isTrue();
        }
    }

    @Test
    void leavesCompressedAndFutureBatchesToKafkasOwnCheck() {
        assertThat(taken(batch(new Random(1), Compression.gzip().build()))).isFalse();
        ByteBuffer future = MemoryRecords.withRecords(
                        Compression.NONE, new SimpleRecord(NOW_MS + AFTER_MAX_MS + 1, new byte[] {1}))
                .buffer();
        assertThat(taken(future)).isFalse();
    }

    @Test
    void neverTakesAMutatedBatchThatKafkaRefusesOrRewrites() {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println(
                "seed " + seed + "; replay: mvn -pl broker-node -am test -Dtest=PlainBatchCheckTest -Dseed=" + seed);
        Random random = new Random(seed);
        int taken = 0;
        for (int i = 0; i < 20_000; i++) {
            ByteBuffer batch = batch(random, Compression.NONE);
            mutate(batch, random);
            if (taken(batch)) {
                taken++;
                ByteBuffer before = copy(batch);
                long newest = BatchHeader.maxTimestamp(batch, 0);
                LogValidatorCheck.Checked checked = kafka.check(
                        PARTITION,
                        batch,
                        0,
                        BatchHeader.leaderEpoch(batch, 0),
                        new LogValidatorCheck.Rules(
                                Integer.MAX_VALUE,
                                Integer.MAX_VALUE,
                                null,
                                false,
                                TimestampType.CREATE_TIME,
                                Long.MAX_VALUE,
                                Long.MAX_VALUE),
                        AppendOrigin.CLIENT);
                assertThat(checked.records().buffer())
                        .as("seed %d, batch %d", seed, i)
                        .isEqualTo(before);
                assertThat(newest).isLessThanOrEqualTo(NOW_MS + AFTER_MAX_MS);
            }
        }
        assertThat(taken)
                .as("mutations that leave the batch good, so that the comparison means something")
                .isPositive();
    }

    /** A client that reads such a batch stops there: an int of Kafka's has five bytes at most. */
    @Test
    void aNumberWithMoreBytesThanKafkaReadsIsNotTaken() {
        for (int padding = 0; padding < 10; padding++) {
            // length, attributes, time 0, offset 0, key length -1 with padding, value length -1, no headers
            byte[] key = new byte[1 + padding];
            Arrays.fill(key, (byte) 0x80);
            key[0] = padding == 0 ? (byte) 1 : (byte) 0x81;
            key[padding] = padding == 0 ? (byte) 1 : 0;
            ByteBuffer record = ByteBuffer.allocate(64);
            int length = 3 + key.length + 2;
            record.put((byte) (length << 1)).put((byte) 0).put((byte) 0).put((byte) 0);
            record.put(key).put((byte) 1).put((byte) 0).flip();
            ByteBuffer batch = withBody(record);
            boolean read = true;
            try {
                MemoryRecords.readableRecords(batch.duplicate()).records().forEach(each -> {});
            } catch (RuntimeException tooLong) {
                read = false;
            }
            assertThat(read)
                    .as("Kafka reads a key's length with %d bytes more", padding)
                    .isEqualTo(padding < 5);
            assertThat(taken(batch)).as("%d bytes more", padding).isEqualTo(padding < 5);
        }
    }

    /** A batch of one record of these bytes. */
    private static ByteBuffer withBody(ByteBuffer record) {
        ByteBuffer model = MemoryRecords.withRecords(
                        Compression.NONE, new SimpleRecord(NOW_MS, (byte[]) null, (byte[]) null))
                .buffer();
        ByteBuffer batch = ByteBuffer.allocate(BatchHeader.BYTES + record.remaining());
        batch.put(model.duplicate().limit(model.position() + BatchHeader.BYTES))
                .put(record)
                .flip();
        batch.putInt(8, batch.limit() - 12);
        CRC32C crc = new CRC32C();
        crc.update(batch.duplicate().position(BatchHeader.crcStart(0)));
        return batch.putInt(17, (int) crc.getValue());
    }

    private boolean taken(ByteBuffer batch) {
        return check.takesAsItIs(batch, 0, batch.limit(), Long.MIN_VALUE, NOW_MS + AFTER_MAX_MS);
    }

    /** Flips bytes and, half of the time, repairs the CRC so that the deeper rules are reached. */
    private static void mutate(ByteBuffer batch, Random random) {
        int flips = random.nextInt(3);
        for (int i = 0; i < flips; i++) {
            int at = random.nextInt(batch.limit());
            batch.put(at, (byte) random.nextInt(256));
        }
        if (random.nextBoolean()) {
            CRC32C crc = new CRC32C();
            ByteBuffer covered = batch.duplicate();
            covered.position(BatchHeader.crcStart(0));
            crc.update(covered);
            batch.putInt(17, (int) crc.getValue());
        }
    }

    private static ByteBuffer batch(Random random, Compression compression) {
        SimpleRecord[] records = new SimpleRecord[1 + random.nextInt(5)];
        for (int i = 0; i < records.length; i++) {
            byte[] key = random.nextInt(4) == 0 ? null : new byte[random.nextInt(20)];
            byte[] value = random.nextInt(8) == 0 ? null : new byte[random.nextInt(200)];
            Header[] headers = random.nextInt(3) == 0
                    ? new Header[] {new RecordHeader("h", random.nextBoolean() ? null : new byte[3])}
                    : new Header[0];
            records[i] = new SimpleRecord(NOW_MS - random.nextInt(100_000), key, value, headers);
        }
        MemoryRecords made = random.nextBoolean()
                ? MemoryRecords.withRecords(compression, records)
                : MemoryRecords.withIdempotentRecords(
                        compression, random.nextInt(1000), (short) random.nextInt(3), random.nextInt(1000), records);
        return copy(made.buffer());
    }

    private static ByteBuffer copy(ByteBuffer from) {
        ByteBuffer copy = ByteBuffer.allocate(from.remaining());
        copy.put(from.duplicate()).flip();
        return copy;
    }
}
