package io.catchment.broker.compaction;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.jspecify.annotations.Nullable;

/** A log of random batches of all kinds, and what it means. Owned by the test's thread. */
final class RandomLog {
    private static final long TRANSACTIONAL = 1_000;

    private final SplittableRandom random;
    private final int keys;
    private final Map<Long, Integer> sequences = new HashMap<>();
    private final Map<Long, List<Long>> open = new HashMap<>();
    private final Set<Long> invisible = new HashSet<>();
    private final TreeMap<Long, LoggedRecord> written = new TreeMap<>();
    private final Map<Long, Long> markers = new HashMap<>();
    private long end;

    RandomLog(SplittableRandom random, int keys) {
        this.random = random;
        this.keys = keys;
    }

    long end() {
        return end;
    }

    /** The next batch. */
    byte[] next() {
        int kind = random.nextInt(10);
        if (kind < 4) {
            return data(RecordBatch.NO_PRODUCER_ID, false);
        } else if (kind < 6) {
            return data(1 + random.nextInt(3), false);
        } else if (kind < 8 || open.isEmpty()) {
            return data(TRANSACTIONAL + random.nextInt(4), true);
        }
        List<Long> producers = new ArrayList<>(open.keySet());
        return marker(producers.get(random.nextInt(producers.size())));
    }

    /** Markers for all transactions that are open. */
    List<byte[]> endTransactions() {
        return List.copyOf(open.keySet()).stream().map(this::marker).toList();
    }

    private byte[] data(long producerId, boolean transactional) {
        SimpleRecord[] records = new SimpleRecord[1 + random.nextInt(6)];
        for (int i = 0; i < records.length; i++) {
            byte[] key = random.nextInt(40) == 0 ? null : bytes("key-" + random.nextInt(keys));
            byte[] value = random.nextInt(5) == 0
                    ? null
                    : bytes("value-" + (end + i) + "-"
                            + "x".repeat(random.nextInt(30) == 0 ? 100_000 : random.nextInt(60)));
            records[i] = new SimpleRecord(1_000 + random.nextInt(1_000), key, value);
        }
        boolean idempotent = producerId != RecordBatch.NO_PRODUCER_ID;
        int sequence = idempotent ? sequences.getOrDefault(producerId, 0) : RecordBatch.NO_SEQUENCE;
        sequences.put(producerId, sequence + records.length);
        byte[] batch = array(MemoryRecords.withRecords(
                        RecordBatch.MAGIC_VALUE_V2,
                        end,
                        compression(),
                        TimestampType.CREATE_TIME,
                        producerId,
                        idempotent ? 0 : RecordBatch.NO_PRODUCER_EPOCH,
                        sequence,
                        0,
                        transactional,
                        records)
                .buffer());
        List<Long> offsets = transactional ? open.computeIfAbsent(producerId, id -> new ArrayList<>()) : List.of();
        for (LoggedRecord record : LoggedRecord.of(batch)) {
            written.put(record.offset(), record);
            if (transactional) {
                offsets.add(record.offset());
                invisible.add(record.offset());
            }
        }
        end += records.length;
        return batch;
    }

    private byte[] marker(long producerId) {
        boolean commit = random.nextInt(3) > 0;
        byte[] batch = array(MemoryRecords.withEndTransactionMarker(
                        end,
                        1_500,
                        0,
                        producerId,
                        (short) 0,
                        new EndTransactionMarker(commit ? ControlRecordType.COMMIT : ControlRecordType.ABORT, 0))
                .buffer());
        List<Long> offsets = open.remove(producerId);
        if (commit) {
            invisible.removeAll(offsets);
        }
        for (long offset : offsets) {
            markers.put(offset, end);
        }
        LoggedRecord.of(batch).forEach(record -> written.put(record.offset(), record));
        end++;
        return batch;
    }

    private Compression compression() {
        return switch (random.nextInt(6)) {
            case 0 -> Compression.gzip().build();
            case 1 -> Compression.zstd().build();
            case 2 -> Compression.lz4().build();
            default -> Compression.NONE;
        };
    }

    /** That ended the record's transaction; null if that is open, or there is none. */
    @Nullable
    Long markerOf(long offset) {
        return markers.get(offset);
    }

    LoggedRecord at(long offset) {
        return written.get(offset);
    }

    /** What a reader who keeps the last committed value of each key has, from the offset on. */
    Map<String, String> materialised(long fromOffset) {
        return materialised(written.tailMap(fromOffset).values());
    }

    /** The same from records of this log that were found somewhere. */
    Map<String, String> materialised(Iterable<LoggedRecord> found) {
        Map<String, String> last = new TreeMap<>();
        for (LoggedRecord record : found) {
            if (!record.marker() && record.key() != null && !invisible.contains(record.offset())) {
                if (record.value() == null) {
                    last.remove(record.key());
                } else {
                    last.put(record.key(), record.value());
                }
            }
        }
        return last;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] array(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }
}
