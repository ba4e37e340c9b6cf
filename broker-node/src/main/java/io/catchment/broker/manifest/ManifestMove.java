package io.catchment.broker.manifest;

import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.merge.MergeMeans;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.PublishManifest;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.OwnedRange;
import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.Manifest.Entry;
import io.catchment.objectstore.manifest.ManifestCodec;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * One plan carried out: reads the manifest that is replaced, takes an id, writes the new one and publishes it. A crash at any step leaves at
 * most an object whose id expires (O3); the catalog changes in one command, or stays as it is.
 */
final class ManifestMove {
    private final MergeMeans means;
    private final Manifests manifests;
    private final ManifestPlan plan;
    private final SerialLoop loop;
    private final long objectTtlMs;

    ManifestMove(MergeMeans means, Manifests manifests, ManifestPlan plan, SerialLoop loop, long objectTtlMs) {
        this.means = means;
        this.manifests = manifests;
        this.plan = plan;
        this.loop = loop;
        this.objectTtlMs = objectTtlMs;
    }

    /** Done with the bytes of the manifest; completes on any thread. */
    CompletionStage<Long> start(ClusterImage image) {
        ManifestRef replaced = plan.replaced();
        CompletionStage<List<OwnedRange>> known =
                replaced == null ? CompletableFuture.completedStage(List.of()) : manifests.sworn(image, replaced);
        return known.thenComposeAsync(
                before -> {
                    List<OwnedRange> all = new ArrayList<>(before);
                    all.addAll(plan.taken());
                    return means.controlPlane()
                            .submit(new Command.PrepareObjects(means.nodeId(), means.nodeEpoch(), 1, objectTtlMs))
                            .thenComposeAsync(ids -> put(ids.get(0), all), loop::execute);
                },
                loop::execute);
    }

    private CompletionStage<Long> put(long objectId, List<OwnedRange> ranges) {
        List<Entry> entries = ranges.stream().map(Manifests::entry).toList();
        ByteBuf body = ManifestCodec.write(means.allocator(), new Manifest(plan.streamId(), entries));
        long bytes = body.readableBytes();
        ManifestRef replaced = plan.replaced();
        PublishManifest command = new PublishManifest(
                means.nodeId(),
                means.nodeEpoch(),
                plan.streamId(),
                objectId,
                bytes,
                replaced == null ? PublishManifest.NO_OBJECT : replaced.objectId(),
                ranges);
        return means.uploader()
                .put(objectId, body)
                .thenComposeAsync(done -> publish(command), loop::execute)
                .thenApply(published -> bytes);
    }

    private CompletionStage<Command.Done> publish(PublishManifest command) {
        return means.controlPlane().submit(command).whenComplete((done, failure) -> {
            if (failure != null) {
                means.uploader().notPublished(command.objectId(), failure);
            }
        });
    }
}
