package io.catchment.broker.manifest;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command.PublishManifest;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/** The plans of the manifest keeper as commands, without its store. Owned by the test's thread. */
public final class ManifestPlanning {
    /** Header and trailer, and one entry: the README of object-store draws them. */
    private static final int FRAME_BYTES = 36;

    private static final int ENTRY_BYTES = 60;

    private final ManifestSettings settings;
    private final Map<Long, List<OwnedRange>> listed = new HashMap<>();

    public ManifestPlanning(ManifestSettings settings) {
        this.settings = settings;
    }

    /** @param objectId where to take an id for the manifest */
    public Optional<PublishManifest> next(
            StreamState stream, ClusterImage image, int nodeId, long nodeEpoch, LongSupplier objectId) {
        return ManifestPlan.of(stream, image, settings).map(plan -> {
            ManifestRef replaced = plan.replaced();
            List<OwnedRange> ranges =
                    new ArrayList<>(replaced == null ? List.of() : listed.remove(replaced.objectId()));
            ranges.addAll(plan.taken());
            long id = objectId.getAsLong();
            listed.put(id, ranges);
            return new PublishManifest(
                    nodeId,
                    nodeEpoch,
                    stream.streamId(),
                    id,
                    FRAME_BYTES + (long) ranges.size() * ENTRY_BYTES,
                    replaced == null ? PublishManifest.NO_OBJECT : replaced.objectId(),
                    ranges);
        });
    }
}
