package io.catchment.controlplane.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.log.Leadership;
import io.catchment.controlplane.log.LogBatch;
import io.catchment.controlplane.log.LogListener;
import io.catchment.controlplane.log.LogReader;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.log.LogRecordSerde;
import io.catchment.controlplane.log.ReplicatedLog;
import io.catchment.controlplane.log.SnapshotReader;
import io.catchment.controlplane.log.SnapshotSink;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.jspecify.annotations.Nullable;

/**
 * Consensus as its users see it, without the votes: one true log with a committed part and a tail. A change of leader keeps any
 * prefix of the tail and drops the rest; the old leader may hear of it late, and what it proposes meanwhile is lost. Nodes hear of
 * commits at their own pace, in order, from the log or from a snapshot if they are behind it.
 */
final class SimulatedRaft {
    private static final int BATCHES_PER_DELIVERY = 3;

    private final SimulatedTime time;
    private final Random random;
    private final List<LogBatch> log = new ArrayList<>();
    private final TreeMap<Long, Snapshot> snapshots = new TreeMap<>();
    private final Map<Integer, Handle> handles = new HashMap<>();
    private int committed;
    private int epoch;
    private int leader = Leadership.NOBODY;
    private long firstKept;

    SimulatedRaft(SimulatedTime time, Random random) {
        this.time = time;
        this.random = random;
    }

    private record Snapshot(long lastOffset, int lastEpoch, long timestampMs, List<LogRecord> records) {}

    List<LogBatch> committedLog() {
        return List.copyOf(log.subList(0, committed));
    }

    int leader() {
        return leader;
    }

    int snapshots() {
        return snapshots.size();
    }

    ReplicatedLog open(int nodeId) {
        Handle handle = new Handle(nodeId);
        handles.put(nodeId, handle);
        return handle;
    }

    /** The process is gone. */
    void crash(int nodeId) {
        Handle handle = handles.remove(nodeId);
        if (handle != null) {
            handle.open = false;
        }
        if (leader == nodeId) {
            elect();
        }
    }

    /** A new leader among the live nodes, perhaps the same; part of the undecided tail may be lost. */
    void elect() {
        int keep = committed + random.nextInt(log.size() - committed + 1);
        while (log.size() > keep) {
            log.remove(log.size() - 1);
        }
        epoch++;
        List<Integer> live = handles.keySet().stream().sorted().toList();
        leader = live.isEmpty() ? Leadership.NOBODY : live.get(random.nextInt(live.size()));
        if (leader != Leadership.NOBODY) {
            // The leader's own mark: commits all that came before with it
            log.add(new LogBatch(endOffset(), epoch, time.nowMs(), 100, List.of()));
            commitSoon();
        }
        for (Handle handle : handles.values()) {
            if (handle.id != leader) {
                time.soon(30, handle::hearOfLeader);
            }
        }
    }

    /** Forgets what a snapshot covers, so that nodes behind it must load it. */
    void clean() {
        if (!snapshots.isEmpty()) {
            firstKept = snapshots.lastKey() + 1;
        }
    }

    private long endOffset() {
        return log.isEmpty() ? 0 : log.get(log.size() - 1).lastOffset() + 1;
    }

    private void commitSoon() {
        int commitEpoch = epoch;
        int upTo = log.size();
        time.soon(10, () -> {
            if (epoch == commitEpoch && committed < upTo) {
                committed = upTo;
                handles.values().forEach(handle -> time.soon(handle.id == leader ? 0 : 8, handle::deliver));
            }
        });
    }

    private static LogBatch throughSerde(LogBatch batch) {
        return new LogBatch(
                batch.lastOffset(),
                batch.epoch(),
                batch.timestampMs(),
                batch.sizeBytes(),
                batch.records().stream().map(SimulatedRaft::throughSerde).toList());
    }

    private static LogRecord throughSerde(LogRecord record) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        int size = LogRecordSerde.INSTANCE.recordSize(record, cache);
        ByteBufferAccessor out = new ByteBufferAccessor(ByteBuffer.allocate(size));
        LogRecordSerde.INSTANCE.write(record, cache, out);
        out.flip();
        return LogRecordSerde.INSTANCE.read(out, size);
    }

    /** One process's view. */
    private final class Handle implements ReplicatedLog {
        private final int id;
        private boolean open = true;
        private int delivered;
        private long deliveredOffset = -1;
        private int toldEpoch = -1;
        private @Nullable LogListener listener;

        Handle(int id) {
            this.id = id;
        }

        /** The leader of this log is asked by the simulation itself. */
        @Override
        public CompletionStage<ByteBuffer> answer(ByteBuffer frame) {
            return CompletableFuture.failedFuture(new AssertionError("nobody asks the consensus of the simulation"));
        }

        @Override
        public void start(LogListener logListener) {
            listener = logListener;
            if (leader == Leadership.NOBODY) {
                time.soon(50, () -> {
                    if (leader == Leadership.NOBODY && open) {
                        elect();
                    }
                });
            }
            time.soon(20, this::deliver);
            time.soon(40, this::hearOfLeader);
        }

        @Override
        public OptionalLong propose(int leaderEpoch, List<LogRecord> batch) {
            assertThat(open).isTrue();
            assertThat(toldEpoch).isGreaterThanOrEqualTo(leaderEpoch);
            if (leader != id || epoch != leaderEpoch) {
                // It may or may not know already; what it appends now is on nobody's disk but its own
                return random.nextBoolean() ? OptionalLong.empty() : OptionalLong.of(endOffset() + 1000 + batch.size());
            }
            long last = endOffset() + batch.size() - 1;
            log.add(new LogBatch(last, epoch, time.nowMs(), 50 * batch.size(), List.copyOf(batch)));
            commitSoon();
            return OptionalLong.of(last);
        }

        @Override
        public Optional<SnapshotSink> snapshot(long lastOffset, int lastEpoch, long lastTimestampMs) {
            assertThat(log.subList(0, committed).stream()
                            .anyMatch(batch -> batch.lastOffset() == lastOffset && batch.epoch() == lastEpoch))
                    .as("a snapshot ends at the end of a committed batch")
                    .isTrue();
            if (snapshots.containsKey(lastOffset)) {
                return Optional.empty();
            }
            List<LogRecord> records = new ArrayList<>();
            return Optional.of(new SnapshotSink() {
                @Override
                public void append(List<LogRecord> chunk) {
                    chunk.forEach(record -> records.add(throughSerde(record)));
                }

                @Override
                public long freeze() {
                    snapshots.put(lastOffset, new Snapshot(lastOffset, lastEpoch, lastTimestampMs, records));
                    return records.size();
                }

                @Override
                public void close() {
                    // Nothing is held
                }
            });
        }

        @Override
        public Optional<InetSocketAddress> address(int nodeId) {
            return Optional.of(InetSocketAddress.createUnresolved("node", nodeId));
        }

        /** A crash is followed by votes at once here. */
        @Override
        public void leaderIsGone(Leadership leadership) {}

        @Override
        public void close() {
            open = false;
        }

        private void deliver() {
            if (!open || listener == null) {
                return;
            }
            if (delivered < committed && mustLoadSnapshot()) {
                loadSnapshot();
            }
            while (open && delivered < committed) {
                int end = Math.min(committed, delivered + 1 + random.nextInt(BATCHES_PER_DELIVERY));
                List<LogBatch> batches = log.subList(delivered, end).stream()
                        .map(batch -> id == leader ? batch : throughSerde(batch))
                        .toList();
                delivered = end;
                deliveredOffset = batches.get(batches.size() - 1).lastOffset();
                listener.committed(new Reader(batches.iterator()));
            }
            hearOfLeader();
        }

        private boolean mustLoadSnapshot() {
            boolean behind = deliveredOffset + 1 < firstKept;
            boolean fresh = deliveredOffset < 0 && !snapshots.isEmpty();
            return behind || (fresh && random.nextBoolean());
        }

        private void loadSnapshot() {
            Snapshot snapshot = snapshots.lastEntry().getValue();
            deliveredOffset = snapshot.lastOffset();
            delivered = 0;
            while (log.get(delivered).lastOffset() < deliveredOffset) {
                delivered++;
            }
            delivered++;
            LogListener to = listener;
            if (to != null) {
                to.snapshot(new Loaded(snapshot));
            }
        }

        private void hearOfLeader() {
            if (!open || listener == null || toldEpoch >= epoch) {
                return;
            }
            boolean caughtUp =
                    delivered > 0 && log.subList(0, delivered).stream().anyMatch(batch -> batch.epoch() == epoch);
            if (leader != id || caughtUp) {
                toldEpoch = epoch;
                listener.leadership(new Leadership(leader, epoch));
            }
        }
    }

    private static class Reader implements LogReader {
        private final Iterator<LogBatch> batches;

        Reader(Iterator<LogBatch> batches) {
            this.batches = batches;
        }

        @Override
        public boolean hasNext() {
            return batches.hasNext();
        }

        @Override
        public LogBatch next() {
            return batches.next();
        }

        @Override
        public void close() {
            assertThat(batches.hasNext()).isFalse();
        }
    }

    private static final class Loaded extends Reader implements SnapshotReader {
        private final Snapshot snapshot;

        Loaded(Snapshot snapshot) {
            super(List.of(new LogBatch(0, 0, 0, 0, snapshot.records())).iterator());
            this.snapshot = snapshot;
        }

        @Override
        public long lastOffset() {
            return snapshot.lastOffset();
        }

        @Override
        public int lastEpoch() {
            return snapshot.lastEpoch();
        }

        @Override
        public long lastTimestampMs() {
            return snapshot.timestampMs();
        }
    }
}
