package io.catchment.broker.observe;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ObjectState;

/** Objects of the cluster that the store holds, by the catalog. */
record CatalogFigures(long published, long publishedBytes, long doomed, long doomedBytes) {

    /** O(objects). */
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
        return new CatalogFigures(published, publishedBytes, doomed, doomedBytes);
    }
}
