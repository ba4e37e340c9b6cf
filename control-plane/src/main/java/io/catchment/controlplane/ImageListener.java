package io.catchment.controlplane;

/** Gets each new image with what changed since the one before. */
@FunctionalInterface
public interface ImageListener {
    void changed(ImageDelta delta, ClusterImage image);
}
