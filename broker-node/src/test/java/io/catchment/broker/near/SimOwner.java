package io.catchment.broker.near;

import io.catchment.broker.read.BatchRun;
import io.catchment.broker.testing.FakePartition;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** A node's idea of a partition that it owns in one epoch, or believes to. It has a tail of a few records in memory. */
final class SimOwner extends FakePartition {
    private static final int TAIL_RECORDS = 20;

    private final SimLog log;
    private final List<EpochStart> starts;

    SimOwner(SimLog log, Uuid topicId, int epoch, long acknowledged) {
        super(log.topic, topicId, log.partition, log.streamId);
        this.log = log;
        this.starts =
                log.starts().stream().filter(start -> start.epoch() <= epoch).toList();
        leaderEpoch = epoch;
        highWatermark = acknowledged;
    }

    @Override
    public long logStartOffset() {
        return Math.min(log.start, highWatermark);
    }

    @Override
    public List<EpochStart> epochStarts() {
        return starts;
    }

    @Override
    public @Nullable BatchRun readTail(long fromOffset, int bytesMax) {
        if (fromOffset < highWatermark - TAIL_RECORDS || fromOffset >= highWatermark) {
            return null;
        }
        BatchRun run = log.read(fromOffset, highWatermark, bytesMax);
        if (run.isEmpty()) {
            run.payload().release();
            return null;
        }
        return run;
    }
}
