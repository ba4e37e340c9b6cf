package io.catchment.controlplane.raft;

import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.Records;
import org.apache.kafka.raft.Isolation;
import org.apache.kafka.raft.LogAppendInfo;
import org.apache.kafka.raft.LogFetchInfo;
import org.apache.kafka.raft.LogOffsetMetadata;
import org.apache.kafka.raft.RaftLog;
import org.apache.kafka.raft.ValidOffsetAndEpoch;
import org.apache.kafka.server.common.OffsetAndEpoch;
import org.apache.kafka.snapshot.RawSnapshotReader;
import org.apache.kafka.snapshot.RawSnapshotWriter;

/**
 * Kafka's log, with one promise more: what is announced as committed is synced on this voter's disk first.
 *
 * <p>Kafka's leader moves the high watermark, and so hands batches to the listener, before it syncs its own log. With several voters
 * that is harmless: a majority needs a follower, which has synced, and whose answer is handled after the leader's own sync. With
 * one voter it means that a power loss takes back what was answered: a WAL extent may be deleted because its flush is
 * published, and afterwards the publication is gone. So the move of the high watermark, which Kafka makes before anything it
 * leads to, syncs whatever is below it. Kafka's own sync right after finds nothing left to do.
 *
 * <p>Owned by the Raft IO thread, except for snapshots, as in Kafka.
 */
final class SyncedRaftLog implements RaftLog {
    private final RaftLog log;
    private long syncedEnd;

    SyncedRaftLog(RaftLog log) {
        this.log = log;
    }

    @Override
    public void updateHighWatermark(LogOffsetMetadata highWatermark) {
        if (highWatermark.offset() > syncedEnd) {
            flush(false);
        }
        log.updateHighWatermark(highWatermark);
    }

    @Override
    public void flush(boolean forceFlushActiveSegment) {
        long end = log.endOffset().offset();
        log.flush(forceFlushActiveSegment);
        syncedEnd = end;
    }

    @Override
    public void truncateTo(long offset) {
        log.truncateTo(offset);
        syncedEnd = Math.min(syncedEnd, offset);
    }

    @Override
    public boolean truncateToLatestSnapshot() {
        syncedEnd = 0;
        return log.truncateToLatestSnapshot();
    }

    @Override
    public LogAppendInfo appendAsLeader(Records records, int epoch) {
        return log.appendAsLeader(records, epoch);
    }

    @Override
    public LogAppendInfo appendAsFollower(Records records, int epoch) {
        return log.appendAsFollower(records, epoch);
    }

    @Override
    public LogFetchInfo read(long startOffsetInclusive, Isolation isolation, int maxTotalRecordsSizeBytes) {
        return log.read(startOffsetInclusive, isolation, maxTotalRecordsSizeBytes);
    }

    @Override
    public int lastFetchedEpoch() {
        return log.lastFetchedEpoch();
    }

    @Override
    public ValidOffsetAndEpoch validateOffsetAndEpoch(long offset, int epoch) {
        return log.validateOffsetAndEpoch(offset, epoch);
    }

    @Override
    public OffsetAndEpoch endOffsetForEpoch(int epoch) {
        return log.endOffsetForEpoch(epoch);
    }

    @Override
    public LogOffsetMetadata endOffset() {
        return log.endOffset();
    }

    @Override
    public LogOffsetMetadata highWatermark() {
        return log.highWatermark();
    }

    @Override
    public long startOffset() {
        return log.startOffset();
    }

    @Override
    public void initializeLeaderEpoch(int epoch) {
        log.initializeLeaderEpoch(epoch);
    }

    @Override
    public boolean deleteBeforeSnapshot(OffsetAndEpoch snapshotId) {
        return log.deleteBeforeSnapshot(snapshotId);
    }

    @Override
    public boolean maybeClean() {
        return log.maybeClean();
    }

    @Override
    public TopicPartition topicPartition() {
        return log.topicPartition();
    }

    @Override
    public Uuid topicId() {
        return log.topicId();
    }

    @Override
    public Optional<RawSnapshotWriter> createNewSnapshot(OffsetAndEpoch snapshotId) {
        return log.createNewSnapshot(snapshotId);
    }

    @Override
    public Optional<RawSnapshotWriter> createNewSnapshotUnchecked(OffsetAndEpoch snapshotId) {
        return log.createNewSnapshotUnchecked(snapshotId);
    }

    @Override
    public Optional<RawSnapshotReader> readSnapshot(OffsetAndEpoch snapshotId) {
        return log.readSnapshot(snapshotId);
    }

    @Override
    public Optional<RawSnapshotReader> latestSnapshot() {
        return log.latestSnapshot();
    }

    @Override
    public Optional<OffsetAndEpoch> latestSnapshotId() {
        return log.latestSnapshotId();
    }

    @Override
    public Optional<OffsetAndEpoch> earliestSnapshotId() {
        return log.earliestSnapshotId();
    }

    @Override
    public void onSnapshotFrozen(OffsetAndEpoch snapshotId) {
        log.onSnapshotFrozen(snapshotId);
    }

    @Override
    public void close() {
        log.close();
    }
}
