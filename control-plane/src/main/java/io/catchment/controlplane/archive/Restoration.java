package io.catchment.controlplane.archive;

import io.catchment.controlplane.Command.NewCheckpoint;
import io.catchment.controlplane.Command.NewRange;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.StreamState.EpochStart;
import io.catchment.controlplane.image.ImageStep;
import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.ObjectsDoomed;
import io.catchment.controlplane.proto.ObjectsPrepared;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.proto.StreamsShortened;
import io.catchment.controlplane.state.Protos;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;

/**
 * The state of a new cluster, made from the archive of one that is gone and from what its bucket holds. Owned by one thread, used once:
 * the archive, then its manifests and the objects that are listed, then {@link #finish}.
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
    private final TreeMap<Long, Long> listed = new TreeMap<>();
    private final Reattachment reattachment = new Reattachment();
    /** Objects that only a manifest knows, by id, each with whether a stream needs it. */
    private final Map<Long, Boolean> owned = new HashMap<>();

    private final Set<Long> unreadManifests = new TreeSet<>();
    private StateImage image;

    /**
     * @param clusterId of the new cluster
     * @param historyId of what begins here
     * @param generation of the bucket's owner that the new cluster is; not below the archive's
     */
    public Restoration(StateArchive.Contents archive, String clusterId, Uuid historyId, long generation, long nowMs) {
        if (generation < archive.header().generation()) {
            throw new IllegalArgumentException("generation " + generation + " restores an archive of generation "
                    + archive.header().generation());
        }
        this.header = archive.header();
        this.generation = generation;
        this.nowMs = nowMs;
        this.archived = new ArchivedRecords(idFloor(generation));
        ImageStep step = ImageStep.instead(StateImage.empty(clusterId));
        step.replay(Protos.historyBegun(historyId));
        for (LogRecord record : archive.records()) {
            archived.translate(record).ifPresent(step::replay);
        }
        archived.missingProducerIds().ifPresent(step::replay);
        image = at(step);
        manifests().forEach(manifest -> unreadManifests.add(manifest.objectId()));
    }

    /**
     * Manifests of the archive, those that are retired included. Each is wanted, see {@link #owns}: the objects that it lists are in no
     * state, and nothing else tells them from what belongs to nothing.
     */
    public List<ManifestRef> manifests() {
        List<ManifestRef> manifests = new ArrayList<>(image.state().retired().values());
        image.state().streams().values().forEach(stream -> manifests.addAll(stream.manifests()));
        return manifests;
    }

    /** One that the archive has. */
    public ObjectState object(long objectId) {
        return image.object(objectId)
                .orElseThrow(() -> new IllegalArgumentException("object " + objectId + " is not in the archive"));
    }

    /** @param ranges all that the manifest lists, as its digest confirms */
    public void owns(ManifestRef manifest, List<OwnedRange> ranges) {
        boolean needed = !image.state().retired().containsKey(manifest.objectId());
        ranges.forEach(each -> owned.put(each.range().objectId(), needed));
        unreadManifests.remove(manifest.objectId());
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
     * @param unreadManifests of which it is not known what they list: whatever might be theirs is left as it is
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
            Set<Long> unreadManifests,
            int openStreams,
            Map<Long, Long> shortened,
            Set<Long> unknownStreams,
            long unflushedBytes) {}

    public Restored finish() {
        Reattachment.Result attached = reattachment.onto(image.state(), listed, nowMs);
        ImageStep step = ImageStep.after(image);
        // First: an older checkpoint that is attached would give way to one that goes
        shortening(attached.ends()).forEach(step::replay);
        attached.records().forEach(step::replay);
        image = at(step);
        ImageStep last = ImageStep.after(image);
        published().forEach(last::replay);
        doomed().forEach(last::replay);
        last.replay(archived.counters(objectIdFloor()));
        image = at(last);
        return new Restored(
                image,
                header.offset(),
                header.timestampMs(),
                attached.ranges(),
                attached.objects(),
                missing(),
                Set.copyOf(unreadManifests),
                archived.openStreams(),
                shortened(),
                attached.unknownStreams(),
                archived.unflushedBytes());
    }

    /** Above all that the bucket has: a recovery that is done again may find objects of its own generation. */
    private long objectIdFloor() {
        Long highest = listed.lowerKey(idFloor(generation + 1));
        return highest == null ? 0 : highest + 1;
    }

    /** Nothing more comes into any object: the extents are gone of which the rest was to follow. */
    private List<LogRecord> published() {
        List<LogRecord> records = new ArrayList<>();
        for (ObjectState object : image.state().objects().values()) {
            if (object.partial()) {
                ObjectState whole = new ObjectState(
                        object.objectId(),
                        object.bytes(),
                        object.references(),
                        object.phase(),
                        object.sinceMs(),
                        object.deadlineMs());
                records.add(LogRecord.own(Record.newBuilder().setObject(Protos.object(whole))));
            }
        }
        return records;
    }

    /** What is in the bucket and belongs to nothing, and ids that were never used: the new cluster deletes them in time (O3). */
    private List<LogRecord> doomed() {
        List<LogRecord> records = new ArrayList<>();
        ObjectsDoomed.Builder doomed = ObjectsDoomed.newBuilder().setAtMs(nowMs);
        image.state().prepared().forEach(doomed::addObjectIds);
        for (long objectId : listed.keySet()) {
            if (!image.state().objects().containsKey(objectId)
                    && objectId < idFloor(generation)
                    && !mayBeOwned(objectId)) {
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

    /** Its manifest owns it, or one that nobody could read may: the ids of what a manifest lists are older than the archive. */
    private boolean mayBeOwned(long objectId) {
        return owned.containsKey(objectId) || (!unreadManifests.isEmpty() && objectId < archived.nextObjectId());
    }

    private Set<Long> missing() {
        Set<Long> missing = new HashSet<>();
        owned.forEach((objectId, needed) -> {
            if (needed && !listed.containsKey(objectId)) {
                missing.add(objectId);
            }
        });
        for (ObjectState object : image.state().objects().values()) {
            if (object.phase() == ObjectState.Phase.PUBLISHED && !listed.containsKey(object.objectId())) {
                missing.add(object.objectId());
            }
        }
        return missing;
    }

    /**
     * Streams of which a later epoch is known than their ranges reach: an owner that found those ranges only would wait for the rest for ever.
     * Or a later state of producers: it would take retries of what is lost for duplicates.
     *
     * @param ends of streams that have more ranges by now
     */
    private List<LogRecord> shortening(Map<Long, Long> ends) {
        StreamsShortened.Builder shortened = StreamsShortened.newBuilder().setAtMs(nowMs);
        for (StreamState stream : image.state().streams().values()) {
            long end = ends.getOrDefault(stream.streamId(), stream.catalogEndOffset());
            List<EpochStart> starts = stream.epochStarts();
            StreamState.Checkpoint checkpoint = stream.checkpoint();
            boolean epochBeyond =
                    !starts.isEmpty() && starts.get(starts.size() - 1).startOffset() > end;
            if (epochBeyond || (checkpoint != null && checkpoint.offset() > end)) {
                shortened.addStreamIds(stream.streamId()).addEndOffsets(end);
            }
        }
        return shortened.getStreamIdsCount() == 0
                ? List.of()
                : List.of(LogRecord.own(Record.newBuilder().setStreamsShortened(shortened)));
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
