package io.catchment.broker.compaction;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.Test;

class DirtyKeysTest {
    private static final long PRODUCER = 7;
    private static final CompactionSettings SETTINGS = new CompactionSettings(true, 1 << 20, 0.9, 0, 1);

    private final ByteBuffer range = ByteBuffer.allocate(10_000);

    /** A log start in the midst of a range: the aborted transaction is below it, its producer's next one is not. */
    @Test
    void aTransactionThatWasAbortedBeforeTheDirtyPartDoesNotHideItsProducersNextOne() throws DigestException {
        data(0, 0, "a");
        marker(1, ControlRecordType.ABORT);
        data(2, 1, "b");
        marker(3, ControlRecordType.COMMIT);
        range.flip();
        Transactions transactions = new Transactions(4);
        transactions.take(range.duplicate());
        DirtyKeys keys = new DirtyKeys(SETTINGS, 2, 4, transactions);
        keys.take(range.duplicate());
        assertThat(keys.map().get(key("b"))).isEqualTo(2);
        assertThat(keys.map().get(key("a"))).isEqualTo(-1);
        assertThat(keys.knownTo()).isEqualTo(4);
    }

    /** Begun below the log start, aborted above it. */
    @Test
    void aTransactionThatIsAbortedInTheDirtyPartIsPassedOverWhereverItBegan() throws DigestException {
        data(0, 0, "a");
        data(1, 1, "b");
        marker(2, ControlRecordType.ABORT);
        data(3, 2, "c");
        marker(4, ControlRecordType.COMMIT);
        range.flip();
        Transactions transactions = new Transactions(5);
        transactions.take(range.duplicate());
        DirtyKeys keys = new DirtyKeys(SETTINGS, 1, 5, transactions);
        keys.take(range.duplicate());
        assertThat(keys.map().get(key("b"))).isEqualTo(-1);
        assertThat(keys.map().get(key("c"))).isEqualTo(3);
    }

    private void data(long offset, int sequence, String key) {
        range.put(MemoryRecords.withRecords(
                        RecordBatch.MAGIC_VALUE_V2,
                        offset,
                        Compression.NONE,
                        TimestampType.CREATE_TIME,
                        PRODUCER,
                        (short) 0,
                        sequence,
                        0,
                        true,
                        new SimpleRecord(1, key.getBytes(StandardCharsets.UTF_8), new byte[3]))
                .buffer());
    }

    private void marker(long offset, ControlRecordType type) {
        range.put(MemoryRecords.withEndTransactionMarker(
                        offset, 1, 0, PRODUCER, (short) 0, new EndTransactionMarker(type, 0))
                .buffer());
    }

    private static ByteBuffer key(String key) {
        return ByteBuffer.wrap(key.getBytes(StandardCharsets.UTF_8));
    }
}
