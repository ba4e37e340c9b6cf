package io.catchment.broker.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LogValidatorCheckTest {
    private static final int ANY = Integer.MAX_VALUE;
    private final LogValidatorCheck check = new LogValidatorCheck(Time.SYSTEM);

    @Test
    void whatIsLittleOnTheWireAndMuchAsTheTopicStoresItIsTooLarge() {
        MemoryRecords small = zeros(1, 1_000_000);
        assertThat(small.sizeInBytes()).isLessThan(10_000);

        assertThatThrownBy(() -> check(small, 10_000, ANY, Compression.NONE))
                .isInstanceOf(RecordTooLargeException.class);
        assertThat(check(small, 1_100_000, ANY, Compression.NONE).records().sizeInBytes())
                .isGreaterThan(1_000_000);
    }

    @Test
    void whatBecomesTooLargeByAnotherCodecIsRefused() {
        MemoryRecords small = zeros(1, 1_000_000);
        assertThatThrownBy(() -> check(small, 3_000, ANY, Compression.lz4().build()))
                .isInstanceOf(RecordTooLargeException.class);
    }

    @Test
    void recordsThatWouldFillTheHeapAreNotUnpackedToBeCompressedAnew() {
        // 80 MB of records in some hundred kB
        MemoryRecords bomb = zeros(80, 1_000_000);
        assertThat(bomb.sizeInBytes()).isLessThan(1_000_000);
        assertThatThrownBy(() -> check(bomb, 1_000_000, ANY, Compression.lz4().build()))
                .isInstanceOf(RecordTooLargeException.class)
                .hasMessageContaining("of records");
    }

    @Test
    void oneRecordThatIsTooLargeDecompressedIsRefused() {
        assertThatThrownBy(() -> check(zeros(1, 2_000), ANY, 1_000, null))
                .as("max.decompressed.message.bytes")
                .isInstanceOf(RuntimeException.class);
        assertThat(check(zeros(1, 2_000), ANY, 10_000, null)
                        .records()
                        .batches()
                        .iterator()
                        .next()
                        .compressionType())
                .isEqualTo(CompressionType.GZIP);
    }

    private LogValidatorCheck.Checked check(
            MemoryRecords records, int batchBytesMax, int recordBytesMax, @Nullable Compression compression) {
        return check.check(
                new TopicPartition("t", 0),
                records.buffer().duplicate(),
                0,
                0,
                new LogValidatorCheck.Rules(
                        batchBytesMax,
                        recordBytesMax,
                        compression,
                        false,
                        TimestampType.CREATE_TIME,
                        Long.MAX_VALUE,
                        Long.MAX_VALUE),
                AppendOrigin.CLIENT);
    }

    private static MemoryRecords zeros(int count, int bytes) {
        SimpleRecord[] records = new SimpleRecord[count];
        Arrays.setAll(records, i -> new SimpleRecord(1, new byte[bytes]));
        return MemoryRecords.withRecords(Compression.gzip().build(), records);
    }
}
