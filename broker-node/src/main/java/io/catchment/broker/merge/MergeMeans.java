package io.catchment.broker.merge;

import io.catchment.broker.flush.ObjectUploader;
import io.catchment.controlplane.ControlPlane;
import io.catchment.objectstore.ObjectBytes;
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
        ObjectUploader uploader,
        ObjectBytes objects,
        ByteBufAllocator allocator,
        Path scratch,
        int nodeId,
        long nodeEpoch) {}
