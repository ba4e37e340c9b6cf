package io.catchment.broker.merge;

import io.catchment.controlplane.ControlPlane;
import io.catchment.objectstore.ObjectReader;
import io.catchment.objectstore.ObjectStore;
import io.netty.buffer.ByteBufAllocator;

/**
 * Who writes published ranges, or their manifests, again, and with what.
 *
 * @param objects a reader with a cache of its own: what is read here is read once, and must not push out what clients read
 */
public record MergeMeans(
        ControlPlane controlPlane,
        ObjectStore store,
        ObjectReader objects,
        ByteBufAllocator allocator,
        int nodeId,
        long nodeEpoch) {}
