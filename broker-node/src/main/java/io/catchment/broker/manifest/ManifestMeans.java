package io.catchment.broker.manifest;

import io.catchment.controlplane.ControlPlane;
import io.catchment.objectstore.ObjectReader;
import io.catchment.objectstore.ObjectStore;
import io.netty.buffer.ByteBufAllocator;

/** Who keeps manifests, and with what. */
public record ManifestMeans(
        ControlPlane controlPlane,
        ObjectStore store,
        ObjectReader objects,
        ByteBufAllocator allocator,
        int nodeId,
        long nodeEpoch) {}
