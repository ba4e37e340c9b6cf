package io.catchment.broker.merge;

import io.catchment.controlplane.ControlPlane;
import io.catchment.objectstore.ObjectBytes;
import io.catchment.objectstore.ObjectStore;
import io.netty.buffer.ByteBufAllocator;
import java.nio.file.Path;

/**
 * Who writes published ranges, or their manifests, again, and with what.
 *
 * @param objects a reader of its own: what is read here is read once, and must not push out what clients read
 * @param scratch a directory for what does not fit in memory
 */
public record MergeMeans(
        ControlPlane controlPlane,
        ObjectStore store,
        ObjectBytes objects,
        ByteBufAllocator allocator,
        Path scratch,
        int nodeId,
        long nodeEpoch) {}
