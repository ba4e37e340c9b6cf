package io.catchment.broker.recover;

import io.catchment.broker.manifest.Manifests;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.archive.Restoration;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStore;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.manifest.ManifestLoader;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Used once, by one thread, which it blocks. Tells a restoration which objects its manifests own. */
final class ManifestScan {
    private static final Logger log = LoggerFactory.getLogger(ManifestScan.class);
    private static final int READS_MAX = 32;

    private final ManifestLoader loader;
    private final Deque<Reading> readings = new ArrayDeque<>();

    private record Reading(ManifestRef manifest, CompletableFuture<List<OwnedRange>> ranges) {}

    ManifestScan(ObjectStore store) {
        this.loader = new ManifestLoader(store, () -> {});
    }

    /**
     * A manifest that is gone or broken is left out: the restoration leaves whatever may be its own alone.
     *
     * @throws ExecutionException when the store does not answer
     */
    void into(Restoration restoration) throws ExecutionException, InterruptedException {
        for (ManifestRef manifest : restoration.manifests()) {
            ObjectState object = restoration.object(manifest.objectId());
            readings.add(new Reading(
                    manifest,
                    loader.load(manifest.objectId(), object.bytes())
                            .thenApply(loaded -> Manifests.sworn(loaded, manifest))));
            if (readings.size() >= READS_MAX) {
                takeOldest(restoration);
            }
        }
        while (!readings.isEmpty()) {
            takeOldest(restoration);
        }
    }

    private void takeOldest(Restoration restoration) throws ExecutionException, InterruptedException {
        Reading oldest = readings.remove();
        try {
            restoration.owns(oldest.manifest(), oldest.ranges().get());
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ObjectStoreException known
                    && (known.reason() == ObjectStoreException.Reason.NOT_FOUND
                            || known.reason() == ObjectStoreException.Reason.CORRUPT)) {
                log.error(
                        "Manifest {} cannot be read, what may be its own is left alone: {}",
                        ObjectKeys.key(oldest.manifest().objectId()),
                        known.getMessage());
                return;
            }
            throw e;
        }
    }
}
