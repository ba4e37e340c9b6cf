package io.catchment.broker.manifest;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.manifest.ManifestCodec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which ranges of a stream move to a manifest next. Pure. The first ones of its catalog, as long as each is alone in its object, up to the last one
 * that is large enough to stay as it is: what is behind that may still be merged.
 *
 * @param replaced the newest manifest, if the new one takes its place: it lists what that one does, and more
 * @param taken from the catalog
 */
record ManifestPlan(long streamId, @Nullable ManifestRef replaced, List<OwnedRange> taken) {
    ManifestPlan {
        taken = List.copyOf(taken);
    }

    static Optional<ManifestPlan> of(StreamState stream, ClusterImage image, ManifestSettings settings) {
        List<StreamRange> catalog = stream.catalog();
        if (catalog.size() <= settings.catalogRanges()) {
            return Optional.empty();
        }
        int end = catalog.size() - settings.recentRanges();
        while (end > 0 && catalog.get(end - 1).length() < settings.settledBytes()) {
            end--;
        }
        List<OwnedRange> taken = new ArrayList<>();
        for (StreamRange range : catalog.subList(0, Math.max(0, Math.min(end, ManifestCodec.ENTRIES_MAX)))) {
            Optional<ObjectState> object = image.object(range.objectId()).filter(ObjectState::isHeldByOne);
            if (object.isEmpty()) {
                break;
            }
            taken.add(new OwnedRange(range, object.get().bytes()));
        }
        if (taken.size() < settings.movedMin()) {
            return Optional.empty();
        }
        List<ManifestRef> manifests = stream.manifests();
        ManifestRef newest = manifests.isEmpty() ? null : manifests.get(manifests.size() - 1);
        boolean fits = newest != null && newest.ranges() + taken.size() <= ManifestCodec.ENTRIES_MAX;
        return Optional.of(new ManifestPlan(stream.streamId(), fits ? newest : null, taken));
    }
}
