package io.catchment.controlplane.raft;

import io.catchment.controlplane.log.Leadership;
import io.catchment.controlplane.log.LogBatch;
import io.catchment.controlplane.log.LogListener;
import io.catchment.controlplane.log.LogReader;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.log.SnapshotReader;
import java.util.Iterator;
import org.apache.kafka.common.message.VotersRecord;
import org.apache.kafka.raft.Batch;
import org.apache.kafka.raft.BatchReader;
import org.apache.kafka.raft.ControlRecord;
import org.apache.kafka.raft.LeaderAndEpoch;
import org.apache.kafka.raft.RaftClient;
import org.apache.kafka.raft.VoterSet;

/** What Raft says, in the terms of {@link LogListener}. Called on the Raft IO thread; keeps the committed voters on the way. */
final class RaftListener implements RaftClient.Listener<LogRecord> {
    private final LogListener listener;
    private volatile VoterSet voters = VoterSet.empty();

    RaftListener(LogListener listener) {
        this.listener = listener;
    }

    VoterSet voters() {
        return voters;
    }

    @Override
    public void handleCommit(BatchReader<LogRecord> reader) {
        listener.committed(new Batches(reader, reader::close));
    }

    @Override
    public void handleLoadSnapshot(org.apache.kafka.snapshot.SnapshotReader<LogRecord> reader) {
        listener.snapshot(new Snapshot(reader));
    }

    /** The snapshot at offset 0 of a fresh directory: voters and nothing else. */
    @Override
    public void handleLoadBootstrap(org.apache.kafka.snapshot.SnapshotReader<LogRecord> reader) {
        try (Snapshot bootstrap = new Snapshot(reader)) {
            while (bootstrap.hasNext()) {
                if (!bootstrap.next().records().isEmpty()) {
                    throw new IllegalStateException("the bootstrap snapshot has records of the state");
                }
            }
        }
    }

    @Override
    public void handleLeaderChange(LeaderAndEpoch leader) {
        listener.leadership(new Leadership(leader.leaderId().orElse(Leadership.NOBODY), leader.epoch()));
    }

    @Override
    public void beginShutdown() {
        // The node is told by whoever closes the log
    }

    private LogBatch batch(Batch<LogRecord> batch) {
        for (ControlRecord control : batch.controlRecords()) {
            if (control.message() instanceof VotersRecord record) {
                voters = VoterSet.fromVotersRecord(record);
            }
        }
        return new LogBatch(
                batch.lastOffset(), batch.epoch(), batch.appendTimestamp(), batch.sizeInBytes(), batch.records());
    }

    private class Batches implements LogReader {
        private final Iterator<Batch<LogRecord>> batches;
        private final Runnable close;

        Batches(Iterator<Batch<LogRecord>> batches, Runnable close) {
            this.batches = batches;
            this.close = close;
        }

        @Override
        public boolean hasNext() {
            return batches.hasNext();
        }

        @Override
        public LogBatch next() {
            return batch(batches.next());
        }

        @Override
        public void close() {
            close.run();
        }
    }

    private final class Snapshot extends Batches implements SnapshotReader {
        private final org.apache.kafka.snapshot.SnapshotReader<LogRecord> reader;

        Snapshot(org.apache.kafka.snapshot.SnapshotReader<LogRecord> reader) {
            super(reader, reader::close);
            this.reader = reader;
        }

        @Override
        public long lastOffset() {
            return reader.lastContainedLogOffset();
        }

        @Override
        public int lastEpoch() {
            return reader.lastContainedLogEpoch();
        }

        @Override
        public long lastTimestampMs() {
            return reader.lastContainedLogTimestamp();
        }
    }
}
