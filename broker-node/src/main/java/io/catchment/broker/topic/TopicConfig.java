package io.catchment.broker.topic;

import io.catchment.wal.Lane;
import java.util.Locale;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.server.record.BrokerCompressionType;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.jspecify.annotations.Nullable;

/**
 * A topic's effective configuration, as far as the broker acts on it: the topic's own keys over the node's defaults over Kafka's.
 *
 * @param maxMessageBytes largest record batch, in bytes (max.message.bytes)
 * @param maxDecompressedMessageBytes largest single record after decompression, in bytes
 * @param timestampBeforeMaxMs how far a record's timestamp may lie in the past; Long.MAX_VALUE: any
 * @param timestampAfterMaxMs how far it may lie in the future
 * @param compressionType compression.type; "producer": batches are kept as they come
 * @param compression the codec, at the topic's level, that batches are to be stored with; null for "producer"
 * @param lane the WAL lane of its class (catchment.priority)
 * @param compacted cleanup.policy contains compact: every record needs a key
 * @param deletes cleanup.policy contains delete: retention applies
 * @param retentionMs -1: no limit
 * @param retentionBytes of one partition, -1: no limit
 * @param minCleanableRatio of a compacted topic: this much of it must be dirty before it is cleaned, 0 to 1
 * @param minCompactionLagMs records stay uncompacted for so long
 * @param maxCompactionLagMs records are compacted after so long at the latest; Long.MAX_VALUE: no limit
 * @param deleteRetentionMs tombstones and transaction markers stay for so long after their first compaction
 * @param retentionByEventTime retention.ms counts from the records' own times instead of their arrival (catchment.retention.time.source)
 */
public record TopicConfig(
        int maxMessageBytes,
        int maxDecompressedMessageBytes,
        TimestampType timestampType,
        long timestampBeforeMaxMs,
        long timestampAfterMaxMs,
        String compressionType,
        @Nullable Compression compression,
        Lane lane,
        boolean compacted,
        boolean deletes,
        long retentionMs,
        long retentionBytes,
        double minCleanableRatio,
        long minCompactionLagMs,
        long maxCompactionLagMs,
        long deleteRetentionMs,
        boolean retentionByEventTime,
        int minInsyncReplicas) {

    /** The class of a topic: which lane its records take, and who goes first when there is too much (DESIGN §10). */
    public static final String PRIORITY = "catchment.priority";

    static final String PRIORITY_DEFAULT = "normal";

    /** From when on {@code retention.ms} counts. A site's late backlog has old event times, and must not go the minute it arrives. */
    public static final String RETENTION_TIME_SOURCE = "catchment.retention.time.source";

    static final String RETENTION_TIME_SOURCE_DEFAULT = "arrival";
    static final String BY_EVENT_TIME = "event";

    static TopicConfig of(LogConfig log, String priority, String retentionTimeSource) {
        return new TopicConfig(
                log.maxMessageSize(),
                log.maxDecompressedMessageBytes(),
                log.messageTimestampType,
                log.messageTimestampBeforeMaxMs,
                log.messageTimestampAfterMaxMs,
                log.compressionType.name,
                log.compressionType == BrokerCompressionType.PRODUCER ? null : log.compression.orElseThrow(),
                Lane.valueOf(priority.toUpperCase(Locale.ROOT)),
                log.compact,
                log.delete,
                log.retentionMs,
                log.retentionSize,
                log.minCleanableRatio,
                log.compactionLagMs,
                log.maxCompactionLagMs,
                log.deleteRetentionMs,
                retentionTimeSource.equals(BY_EVENT_TIME),
                log.minInSyncReplicas);
    }
}
