package io.catchment.controlplane.archive;

import io.catchment.controlplane.Command.NewCheckpoint;
import io.catchment.controlplane.Command.NewRange;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.image.ImageStep;
import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.ObjectsDoomed;
import io.catchment.controlplane.proto.ObjectsPrepared;
import io.catchment.controlplane.proto.Record;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * The state of a new cluster, made from the archive of one that is gone and from what its bucket holds. Owned by one thread, used once:
 * the archive, then the objects that are listed, then {@link #finish}.
 *
 * <p>What depended on the old machines goes ({@link ArchivedRecords}). What was published after the archive was written can be had again:
 * each flush puts the ranges of its streams into its object's footer, sealed extents never change, and an archive that is kept holds up
 * the deletion of all that was doomed after it. So the object of each flush since then is there, and a range that begins where its stream's
 * catalog ends is that stream's next one, whether or not it ever came to be published. Only objects of the archive's own generation
 * count: a former owner's late upload holds offsets that this history may have used otherwise.
 */
public final class Restoration {
    /** Where the new cluster's log begins: as if so many records had been written and cleaned away. */
    public static final long FIRST_OFFSET = 1_000;

    static final int FIRST_LOG_EPOCH = 1;

    private static final int ID_BITS_PER_GENERATION = 40;
    /** Longer than an extent is published in part, unless it is stuck. */
    private static final long IN_PART_MS_MAX = TimeUnit.HOURS.toMillis(1);

    private final StateArchive.Header header;
    private final long generation;
    private final long nowMs;
    private final ArchivedRecords archived;
    private final Map<Long, Long> listed = new TreeMap<>();
    private final Reattachment reattachment = new Reattachment();
    private StateImage image;

    /**
     * @param clusterId of the new cluster
     * @param generation of the bucket's owner that the new cluster is; not below the archive's
     */
    public Restoration(StateArchive.Contents archive, String clusterId, long generation, long nowMs) {
        if (generation < archive.header().generation()) {
            throw new IllegalArgumentException("generation " + generation + " restores an archive of generation "
                    + archive.header().generation());
        }
        this.header = archive.header();
        this.generation = generation;
        this.nowMs = nowMs;
        this.archived = new ArchivedRecords(idFloor(generation));
        ImageStep step = ImageStep.instead(StateImage.empty(clusterId));
        for (LogRecord record : archive.records()) {
            archived.translate(record).ifPresent(step::replay);
        }
        image = at(step);
    }

    /**
     * The first id (of objects, streams, extents, epochs, producers) that the owner of this generation gives out: what a former owner gave
     * out after its last archive is far below, and stays unused.
     */
    public static long idFloor(long generation) {
        return (generation - 1) << ID_BITS_PER_GENERATION;
    }

    /**
     * An object that the bucket has. Answers whether its footer is wanted: {@link #found} takes it, and it may be left out if the
     * object has gone meanwhile or cannot be read.
     */
    public boolean listed(long objectId, long bytes) {
        listed.put(objectId, bytes);
        ObjectState known = image.state().objects().get(objectId);
        if (known != null) {
            return known.phase() == ObjectState.Phase.PREPARED || mayHaveMore(known);
        }
        return objectId >= archived.nextObjectId() && objectId < idFloor(header.generation() + 1);
    }

    /** An extent may be published in part, with the rest to follow from the same object. */
    private boolean mayHaveMore(ObjectState known) {
        return known.phase() == ObjectState.Phase.PUBLISHED
                && archived.hasSealedExtents()
                && known.sinceMs() >= header.timestampMs() - IN_PART_MS_MAX;
    }

    public void found(long objectId, List<NewRange> ranges, List<NewCheckpoint> checkpoints) {
        reattachment.found(objectId, ranges, checkpoints);
    }

    /**
     * What came of it.
     *
     * @param image the new cluster's first state
     * @param offset of the archive, in the old cluster's log
     * @param timestampMs the controller's clock when that was written
     * @param reattachedRanges and
     * @param reattachedObjects published after the archive was written, or about to be
     * @param missing published objects that the bucket does not have: a broken bucket
     * @param openStreams that somebody could write to; what was not flushed of them is gone
     * @param shortened streams that are known to have lost offsets, each with how many at the least
     * @param unknownStreams with data in objects, but created after the archive was written: their data is lost
     * @param unflushedBytes length of extents that were sealed and not flushed as of the archive
     */
    public record Restored(
            StateImage image,
            long offset,
            long timestampMs,
            int reattachedRanges,
            int reattachedObjects,
            Set<Long> missing,
            int openStreams,
            Map<Long, Long> shortened,
            Set<Long> unknownStreams,
            long unflushedBytes) {}

    public Restored finish() {
        Reattachment.Result attached = reattachment.onto(image.state(), listed, nowMs);
        ImageStep step = ImageStep.after(image);
        attached.records().forEach(step::replay);
        image = at(step);
        ImageStep last = ImageStep.after(image);
        doomed().forEach(last::replay);
        last.replay(archived.counters());
        image = at(last);
        return new Restored(
                image,
                header.offset(),
                header.timestampMs(),
                attached.ranges(),
                attached.objects(),
                missing(),
                archived.openStreams(),
                shortened(),
                attached.unknownStreams(),
                archived.unflushedBytes());
    }

    /** What is in the bucket and belongs to nothing, and ids that were never used: the new cluster deletes them in time (O3). */
    private List<LogRecord> doomed() {
        List<LogRecord> records = new ArrayList<>();
        ObjectsDoomed.Builder doomed = ObjectsDoomed.newBuilder().setAtMs(nowMs);
        image.state().prepared().forEach(doomed::addObjectIds);
        for (long objectId : listed.keySet()) {
            if (!image.state().objects().containsKey(objectId) && objectId < idFloor(generation)) {
                records.add(LogRecord.own(Record.newBuilder()
                        .setObjectsPrepared(ObjectsPrepared.newBuilder()
                                .setFirstObjectId(objectId)
                                .setCount(1)
                                .setAtMs(nowMs)
                                .setDeadlineMs(nowMs))));
                doomed.addObjectIds(objectId);
            }
        }
        if (doomed.getObjectIdsCount() > 0) {
            records.add(LogRecord.own(Record.newBuilder().setObjectsDoomed(doomed)));
        }
        return records;
    }

    private Set<Long> missing() {
        Set<Long> missing = new HashSet<>();
        for (ObjectState object : image.state().objects().values()) {
            if (object.phase() == ObjectState.Phase.PUBLISHED && !listed.containsKey(object.objectId())) {
                missing.add(object.objectId());
            }
        }
        return missing;
    }

    private Map<Long, Long> shortened() {
        Map<Long, Long> lost = new HashMap<>();
        archived.knownEnds().forEach((streamId, end) -> {
            var stream = image.state().streams().get(streamId);
            if (stream != null && stream.catalogEndOffset() < end) {
                lost.put(streamId, end - stream.catalogEndOffset());
            }
        });
        return lost;
    }

    private StateImage at(ImageStep step) {
        step.at(FIRST_OFFSET - 1, FIRST_LOG_EPOCH, nowMs);
        return step.finish().image();
    }
}
