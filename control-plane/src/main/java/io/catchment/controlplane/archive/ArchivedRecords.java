package io.catchment.controlplane.archive;

import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.Counters;
import io.catchment.controlplane.proto.Extent;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.proto.Stream;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.metadata.ProducerIdsRecord;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/**
 * An archive's records as a new cluster has them. Used once, by one thread. Nodes, extents, tasks and sessions were of machines and
 * processes that are gone. A stream keeps its catalog, its beginning and its history; nobody owns it, and its epoch is far above any that
 * the old cluster can have given it after the archive, so that clients take the new cluster's word for newer. All else stays as it is,
 * kinds of records that this class does not know of included.
 */
final class ArchivedRecords {
    /** More changes of owner than a stream has between two archives. */
    static final int EPOCHS_SKIPPED = 1 << 16;

    private static final int NOBODY = -1;

    private final long idFloor;
    private final Map<Long, Long> knownEnds = new HashMap<>();
    private long nextObjectId;
    private Counters counters = Counters.getDefaultInstance();
    private int openStreams;
    private boolean hasProducerIds;
    private boolean hasSealedExtents;
    private long unflushedBytes;

    ArchivedRecords(long idFloor) {
        this.idFloor = idFloor;
    }

    Optional<LogRecord> translate(LogRecord record) {
        if (record instanceof LogRecord.Kafka kafka) {
            return Optional.of(kafka(kafka));
        }
        Record own = ((LogRecord.Own) record).value();
        return switch (own.getKindCase()) {
            case HISTORY_BEGUN, NODE, TASK, SESSION -> Optional.empty();
            case EXTENT -> {
                if (own.getExtent().getPhase() == Extent.Phase.SEALED) {
                    hasSealedExtents = true;
                    unflushedBytes += own.getExtent().getLength();
                }
                yield Optional.empty();
            }
            case STREAM -> Optional.of(LogRecord.own(own.toBuilder().setStream(stream(own.getStream()))));
            case COUNTERS -> {
                nextObjectId = own.getCounters().getNextObjectId();
                counters = raised(own.getCounters());
                yield Optional.of(counters(0));
            }
            default -> Optional.of(record);
        };
    }

    /** Of the archive: ids from here on were given out after it. */
    long nextObjectId() {
        return nextObjectId;
    }

    /**
     * Once more at the end: records that follow an archive leave smaller values behind.
     *
     * @param objectIdFloor no object's id below is given out again
     */
    LogRecord counters(long objectIdFloor) {
        return LogRecord.own(Record.newBuilder()
                .setCounters(
                        counters.toBuilder().setNextObjectId(Math.max(counters.getNextObjectId(), objectIdFloor))));
    }

    /** For an archive that has none: from before the first block was given out, and what was given out after that is in the bucket. */
    Optional<LogRecord> missingProducerIds() {
        ProducerIdsRecord floor =
                new ProducerIdsRecord().setBrokerId(NOBODY).setBrokerEpoch(-1).setNextProducerId(idFloor);
        return hasProducerIds ? Optional.empty() : Optional.of(LogRecord.kafka(floor, (short) 0));
    }

    /** Streams of which it is known how far they had come, published or not. */
    Map<Long, Long> knownEnds() {
        return knownEnds;
    }

    int openStreams() {
        return openStreams;
    }

    boolean hasSealedExtents() {
        return hasSealedExtents;
    }

    long unflushedBytes() {
        return unflushedBytes;
    }

    private LogRecord kafka(LogRecord.Kafka record) {
        if (!(record.message().message() instanceof ProducerIdsRecord ids)) {
            return record;
        }
        hasProducerIds = true;
        ProducerIdsRecord raised = ids.duplicate().setNextProducerId(Math.max(ids.nextProducerId(), idFloor));
        return new LogRecord.Kafka(
                new ApiMessageAndVersion(raised, record.message().version()));
    }

    private Counters raised(Counters old) {
        return old.toBuilder()
                .setNextEpoch(Math.max(old.getNextEpoch(), idFloor))
                .setNextStreamId(Math.max(old.getNextStreamId(), idFloor))
                .setNextExtentId(Math.max(old.getNextExtentId(), idFloor))
                .setNextObjectId(Math.max(old.getNextObjectId(), idFloor))
                .build();
    }

    private Stream stream(Stream old) {
        if (old.getOwnerNodeEpoch() >= 0 || old.getWritersCount() > 0) {
            openStreams++;
        }
        long end = old.hasHandover() ? old.getHandover().getEndOffset() : 0;
        for (long start : old.getEpochStartOffsetsList()) {
            end = Math.max(end, start);
        }
        // Without a checkpoint it is of offset 0
        end = Math.max(end, old.getCheckpoint().getOffset());
        knownEnds.put(old.getStreamId(), end);
        Stream.Builder made = old.toBuilder()
                .setOwnerNodeId(NOBODY)
                .setOwnerNodeEpoch(-1)
                .setEpoch(Math.addExact(old.getEpoch(), EPOCHS_SKIPPED))
                .setPreferredNodeId(NOBODY)
                .setTargetNodeId(NOBODY)
                .setPinned(false)
                .clearWriters()
                .clearHandover();
        if (old.hasCheckpoint()) {
            // Its frame's extent is gone, its object is not
            made.setCheckpoint(old.getCheckpoint().toBuilder().clearExtentId());
        }
        return made.build();
    }
}
