package io.catchment.broker.compaction;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.util.KafkaScheduler;
import org.apache.kafka.storage.internals.log.Cleaner;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.apache.kafka.storage.internals.log.LogSegment;
import org.apache.kafka.storage.internals.log.LogToClean;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.apache.kafka.storage.internals.log.SkimpyOffsetMap;
import org.apache.kafka.storage.internals.log.UnifiedLog;
import org.apache.kafka.storage.internals.utils.Throttler;
import org.apache.kafka.storage.log.metrics.BrokerTopicStats;

/** Kafka's own log on a disk with Kafka's own cleaner: what ours is held against. */
final class KafkaLog {
    private final KafkaScheduler scheduler = new KafkaScheduler(1);
    private final UnifiedLog log;
    private final Cleaner cleaner;
    private final Set<Long> open = new HashSet<>();
    private long firstDirtyOffset;

    KafkaLog(Path directory, long deleteRetentionMs) throws Exception {
        Path partition = Files.createDirectories(directory.resolve("topic-0"));
        log = UnifiedLog.create(
                partition.toFile(),
                new LogConfig(
                        Map.of("cleanup.policy", "compact", "delete.retention.ms", Long.toString(deleteRetentionMs))),
                0,
                0,
                scheduler,
                new BrokerTopicStats(),
                Time.SYSTEM,
                900_000,
                new ProducerStateManagerConfig(86_400_000, true),
                600_000,
                new LogDirFailureChannel(1),
                true,
                Optional.of(Uuid.randomUuid()));
        cleaner = new Cleaner(
                0,
                new SkimpyOffsetMap(1 << 20),
                64 << 10,
                4 << 20,
                0.9,
                new Throttler(Double.MAX_VALUE, 300, "bytes", "bytes", Time.SYSTEM),
                Time.SYSTEM,
                aborted -> {});
    }

    /** Kafka cleans whole segments: one begins with each transaction, so that all before the first open one is cleaned. */
    void append(byte[] bytes) throws IOException {
        MemoryRecords batch = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
        RecordBatch header = batch.firstBatch();
        if (header.isControlBatch()) {
            open.remove(header.producerId());
        } else if (header.isTransactional() && open.add(header.producerId())) {
            log.roll();
        }
        log.appendAsFollower(batch, 0);
    }

    /** All of it, as far as Kafka may. */
    void clean(long nowMs) throws Exception {
        log.roll();
        log.updateHighWatermark(log.logEndOffset());
        long uncleanable = Math.min(log.lastStableOffset(), log.activeSegment().baseOffset());
        if (uncleanable > firstDirtyOffset) {
            firstDirtyOffset = cleaner.doClean(new LogToClean(log, firstDirtyOffset, uncleanable, true), nowMs)
                    .getKey();
        }
    }

    long firstDirtyOffset() {
        return firstDirtyOffset;
    }

    List<LoggedRecord> records() {
        List<LoggedRecord> records = new ArrayList<>();
        for (LogSegment segment : log.logSegments()) {
            for (RecordBatch batch : segment.log().batches()) {
                for (Record record : batch) {
                    records.add(LoggedRecord.of(batch, record));
                }
            }
        }
        return records;
    }

    void close() throws Exception {
        log.close();
        scheduler.shutdown();
    }
}
