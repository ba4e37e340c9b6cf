package io.catchment.broker.manifest;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ManifestDigest;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamRange;
import io.catchment.objectstore.Manifest;
import io.catchment.objectstore.Manifest.Entry;
import io.catchment.objectstore.ObjectBytes;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.ObjectStoreException;
import io.catchment.objectstore.ObjectStoreException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Immutable. What a manifest lists, as far as it still counts. Nothing here blocks; stages complete on the store's threads, or at once. */
public final class Manifests {
    private final ObjectBytes objects;

    public Manifests(ObjectBytes objects) {
        this.objects = objects;
    }

    /** The range with the offset, which the manifest holds. */
    public CompletionStage<OwnedRange> range(ClusterImage image, ManifestRef ref, long offset) {
        return load(image, ref).thenApply(manifest -> {
            int index = manifest.indexOf(offset);
            if (index < firstIndex(manifest, ref)) {
                throw differs(ref, "it lists no offset " + offset);
            }
            return owned(manifest.entry(index));
        });
    }

    /** All ranges that count, oldest first. */
    public CompletionStage<List<OwnedRange>> ranges(ClusterImage image, ManifestRef ref) {
        return load(image, ref).thenApply(manifest -> ranges(manifest, ref));
    }

    /** As {@link #ranges}, held against the digest that the control plane has: to say to it what the manifest lists. */
    public CompletionStage<List<OwnedRange>> sworn(ClusterImage image, ManifestRef ref) {
        return load(image, ref).thenApply(manifest -> sworn(manifest, ref));
    }

    /** @throws ObjectStoreException CORRUPT when the control plane has another digest */
    public static List<OwnedRange> sworn(Manifest manifest, ManifestRef ref) {
        List<OwnedRange> ranges = ranges(manifest, ref);
        if (ManifestDigest.of(ranges, ManifestDigest.NOTHING) != ref.digest()) {
            throw differs(ref, "its ranges have another digest");
        }
        return ranges;
    }

    /** @throws ObjectStoreException CORRUPT when it is another manifest than the control plane says */
    public static List<OwnedRange> ranges(Manifest manifest, ManifestRef ref) {
        List<OwnedRange> ranges = new ArrayList<>(ref.ranges());
        for (Entry entry : manifest.entriesFrom(firstIndex(manifest, ref))) {
            ranges.add(owned(entry));
        }
        return ranges;
    }

    static Entry entry(OwnedRange owned) {
        StreamRange range = owned.range();
        return new Entry(
                range.baseOffset(),
                range.endOffset(),
                range.objectId(),
                owned.objectBytes(),
                range.position(),
                range.length(),
                range.maxEventTimeMs(),
                range.maxAppendTimeMs());
    }

    private CompletionStage<Manifest> load(ClusterImage image, ManifestRef ref) {
        Optional<ObjectState> object = image.object(ref.objectId());
        return object.isPresent()
                ? objects.manifest(ref.objectId(), object.get().bytes())
                : CompletableFuture.failedStage(new IllegalStateException(
                        "manifest " + ref.objectId() + " is unknown to the control plane (O3)"));
    }

    /** What it lists before that has been released. */
    private static int firstIndex(Manifest manifest, ManifestRef ref) {
        int first = manifest.size() - ref.ranges();
        if (first < 0
                || manifest.entry(first).baseOffset() != ref.baseOffset()
                || manifest.entry(manifest.size() - 1).endOffset() != ref.endOffset()) {
            throw differs(
                    ref,
                    "it has " + manifest.size() + " ranges of stream " + manifest.streamId() + ", from offset "
                            + manifest.entry(0).baseOffset() + " on");
        }
        return first;
    }

    private static OwnedRange owned(Entry entry) {
        return new OwnedRange(
                new StreamRange(
                        entry.baseOffset(),
                        entry.endOffset(),
                        entry.objectId(),
                        entry.position(),
                        entry.length(),
                        entry.maxEventTimeMs(),
                        entry.maxAppendTimeMs()),
                entry.objectBytes());
    }

    private static ObjectStoreException differs(ManifestRef ref, String how) {
        return new ObjectStoreException(
                Reason.CORRUPT,
                "object " + ObjectKeys.key(ref.objectId()) + " is not the manifest " + ref + ": " + how,
                null);
    }
}
