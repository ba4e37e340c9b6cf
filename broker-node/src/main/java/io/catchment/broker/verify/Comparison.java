package io.catchment.broker.verify;

import io.catchment.broker.verify.StoreReport.Amount;
import io.catchment.broker.verify.StoreReport.Dangling;
import io.catchment.broker.verify.StoreReport.Stored;
import io.catchment.broker.verify.StoreReport.WrongSize;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.ObjectState.Phase;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore.Listed;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Owned by the thread that compares. One listing held against the image from before it and the one from after it. An object is published
 * once and then doomed once: what is published in both images was published all the while, so the listing must have it.
 */
final class Comparison {
    private final ClusterImage before;
    private final ClusterImage after;
    private final Map<Long, Long> bytesListed = new HashMap<>();
    /** Bytes of the manifests' own objects, by id. */
    private final Map<Long, Long> owned = new HashMap<>();

    private final List<Listed> suspects = new ArrayList<>();
    private final List<Stored> foreign = new ArrayList<>();
    private final List<Stored> missing = new ArrayList<>();
    private final List<WrongSize> wrongSize = new ArrayList<>();
    private final List<Dangling> dangling = new ArrayList<>();
    private Amount published = new Amount(0, 0);
    private Amount listed = new Amount(0, 0);
    private long pending;
    private long doomed;

    private Comparison(ClusterImage before, ClusterImage after) {
        this.before = before;
        this.after = after;
    }

    /**
     * O(objects + ranges of all streams).
     *
     * @param listed what all manifests of the later image list: the objects are in no image
     */
    static Comparison of(ClusterImage before, List<Listed> listing, ClusterImage after, Collection<OwnedRange> listed) {
        Comparison comparison = new Comparison(before, after);
        listed.forEach(owned -> comparison.owned.put(owned.range().objectId(), owned.objectBytes()));
        listing.forEach(comparison::stored);
        after.objects().forEach(comparison::known);
        comparison.owned.forEach(comparison::known);
        after.retiredManifests()
                .forEach(manifest -> comparison.reference(
                        "", -1, Dangling.Kind.MANIFEST, manifest.baseOffset(), manifest.objectId()));
        after.streams().forEach(comparison::references);
        return comparison;
    }

    /** Objects whose id is in neither image: orphans, unless they are gone a moment later. */
    List<Listed> suspects() {
        return suspects;
    }

    /** Never given out as of the later image: an upload under this id may begin at any time. */
    boolean isUnissued(Listed object) {
        OptionalLong id = ObjectKeys.objectId(object.key());
        return id.isEmpty() || id.getAsLong() >= after.nextObjectId();
    }

    StoreReport report(List<Listed> orphans, long deletedOrphans, int shownMax) {
        return new StoreReport(
                published,
                listed,
                pending,
                doomed,
                Findings.of(missing, shownMax),
                Findings.of(wrongSize, shownMax),
                Findings.of(
                        orphans.stream()
                                .map(orphan -> new Stored(orphan.key(), orphan.bytes()))
                                .toList(),
                        shownMax),
                orphans.stream().filter(this::isUnissued).count(),
                deletedOrphans,
                Findings.of(foreign, shownMax),
                Findings.of(dangling, shownMax));
    }

    private void stored(Listed object) {
        listed = plus(listed, object.bytes());
        OptionalLong key = ObjectKeys.objectId(object.key());
        if (key.isEmpty()) {
            foreign.add(new Stored(object.key(), object.bytes()));
            return;
        }
        long id = key.getAsLong();
        bytesListed.put(id, object.bytes());
        @Nullable ObjectState state = after.object(id).orElse(null);
        if (state != null) {
            switch (state.phase()) {
                case PREPARED -> pending++;
                case DOOMED -> doomed++;
                case PUBLISHED -> {} // held against the listing from the other side
            }
        } else if (before.object(id).isEmpty() && !owned.containsKey(id)) {
            suspects.add(object);
        }
    }

    private void known(ObjectState object) {
        if (object.phase() != Phase.PUBLISHED) {
            return;
        }
        published = plus(published, object.bytes());
        if (isPublished(before, object.objectId())) {
            mustBeListed(object.objectId(), object.bytes());
        }
    }

    /** A manifest's own. It was published in the earlier image too if that had it so, or had it no more but had given out its id. */
    private void known(long objectId, long bytes) {
        published = plus(published, bytes);
        boolean ownedBefore = before.object(objectId).isEmpty() && objectId < before.nextObjectId();
        if (ownedBefore || isPublished(before, objectId)) {
            mustBeListed(objectId, bytes);
        }
    }

    private void mustBeListed(long objectId, long bytes) {
        String key = ObjectKeys.key(objectId);
        @Nullable Long found = bytesListed.get(objectId);
        if (found == null) {
            missing.add(new Stored(key, bytes));
        } else if (found != bytes) {
            wrongSize.add(new WrongSize(key, bytes, found));
        }
    }

    private void references(StreamState stream) {
        for (ManifestRef manifest : stream.manifests()) {
            reference(stream, Dangling.Kind.MANIFEST, manifest.baseOffset(), manifest.objectId());
        }
        for (StreamRange range : stream.catalog()) {
            reference(stream, Dangling.Kind.RANGE, range.baseOffset(), range.objectId());
        }
        StreamState.@Nullable Checkpoint checkpoint = stream.checkpoint();
        if (checkpoint != null) {
            reference(stream, Dangling.Kind.CHECKPOINT, checkpoint.offset(), checkpoint.objectId());
        }
    }

    private void reference(StreamState stream, Dangling.Kind kind, long offset, long objectId) {
        reference(stream.topic(), stream.partition(), kind, offset, objectId);
    }

    private void reference(String topic, int partition, Dangling.Kind kind, long offset, long objectId) {
        if (!isPublished(after, objectId)) {
            dangling.add(new Dangling(topic, partition, kind, offset, objectId));
        }
    }

    private static boolean isPublished(ClusterImage image, long objectId) {
        return image.object(objectId)
                .filter(object -> object.phase() == Phase.PUBLISHED)
                .isPresent();
    }

    private static Amount plus(Amount amount, long bytes) {
        return new Amount(amount.objects() + 1, amount.bytes() + bytes);
    }
}
