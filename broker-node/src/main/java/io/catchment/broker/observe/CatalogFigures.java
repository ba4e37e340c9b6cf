package io.catchment.broker.observe;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState;
import java.util.ArrayList;
import java.util.List;

/**
 * Objects of the cluster that the store holds, by the catalog.
 *
 * @param publishedBytes of what manifests list without the footers of these objects, which the state does not know
 */
record CatalogFigures(long published, long publishedBytes, long doomed, long doomedBytes) {

    /** O(objects + streams). */
    static CatalogFigures of(ClusterImage image) {
        long published = 0;
        long publishedBytes = 0;
        long doomed = 0;
        long doomedBytes = 0;
        for (ObjectState object : image.objects()) {
            switch (object.phase()) {
                case PREPARED -> {} // its size is not known yet
                case PUBLISHED -> {
                    published++;
                    publishedBytes += object.bytes();
                }
                case DOOMED -> {
                    doomed++;
                    doomedBytes += object.bytes();
                }
            }
        }
        List<ManifestRef> manifests = new ArrayList<>(image.retiredManifests());
        image.streams().forEach(stream -> manifests.addAll(stream.manifests()));
        for (ManifestRef manifest : manifests) {
            // Each range is alone in its object
            published += manifest.ranges();
            publishedBytes += manifest.bytes();
        }
        return new CatalogFigures(published, publishedBytes, doomed, doomedBytes);
    }
}
