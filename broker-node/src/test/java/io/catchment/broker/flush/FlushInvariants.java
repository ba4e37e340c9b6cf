package io.catchment.broker.flush;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.manifest.Manifests;
import io.catchment.broker.testing.TestBatches;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.BundleBuilder.BuiltRange;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.bundle.BundleFooter;
import io.catchment.objectstore.manifest.ManifestCodec;
import io.catchment.wal.FrameEntry;
import io.catchment.wal.FrameKind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** What must hold at each moment, and what must hold at the end. Reads the world; owned by the test's thread. */
final class FlushInvariants {
    private final FlushWorld world;
    /** Objects found right before: they are immutable, unless somebody overwrites them, which the array's identity shows. */
    private final Map<Long, byte[]> verified = new HashMap<>();

    FlushInvariants(FlushWorld world) {
        this.world = world;
    }

    void hold() {
        publishedObjectsAreCompleteAndVerified();
        eachOffsetIsInOnePlace();
        everyObjectIsKnown();
    }

    /** O1: what the catalog points to is in the store, whole, and is byte for byte what was acknowledged. */
    void publishedObjectsAreCompleteAndVerified() {
        for (ObjectState object : world.control.image().objects()) {
            if (object.phase() == ObjectState.Phase.PUBLISHED) {
                byte[] bytes = world.store.objects.get(ObjectKeys.key(object.objectId()));
                assertThat(bytes)
                        .as("O1: published object %s is in the store", object.objectId())
                        .isNotNull();
                assertThat((long) bytes.length)
                        .as("O1: length of object %s", object.objectId())
                        .isEqualTo(object.bytes());
                if (!manifests().contains(object.objectId())) {
                    verify(object.objectId(), bytes);
                }
            }
        }
        for (StreamState stream : world.control.image().streams()) {
            stream.manifests()
                    .forEach(manifest -> owned(manifest).forEach(owned -> verifyOwned(stream.streamId(), owned)));
        }
        for (StreamState stream : world.control.image().streams()) {
            StreamState.Checkpoint checkpoint = stream.checkpoint();
            if (checkpoint != null) {
                byte[] bytes = world.store.objects.get(ObjectKeys.key(checkpoint.objectId()));
                int from = Math.toIntExact(checkpoint.position());
                assertThat(Arrays.copyOfRange(bytes, from, from + checkpoint.length()))
                        .as("O1: checkpoint of stream %s at %s", stream.streamId(), checkpoint.offset())
                        .isEqualTo(world.checkpoints.get(stream.streamId()).get(checkpoint.offset()));
            }
        }
    }

    /** Objects of the manifests that the control plane knows, of streams or of nobody any more. */
    private Set<Long> manifests() {
        Set<Long> ids = new HashSet<>();
        refs().forEach(manifest -> ids.add(manifest.objectId()));
        return ids;
    }

    private List<ManifestRef> refs() {
        List<ManifestRef> refs = new ArrayList<>(world.control.image().retiredManifests());
        world.control.image().streams().forEach(stream -> refs.addAll(stream.manifests()));
        return refs;
    }

    /** What the manifest lists, as far as it counts, read from the store as it is. */
    private List<OwnedRange> owned(ManifestRef ref) {
        byte[] bytes = world.store.objects.get(ObjectKeys.key(ref.objectId()));
        assertThat(bytes).as("O1: manifest %s is in the store", ref).isNotNull();
        List<OwnedRange> owned = Manifests.ranges(ManifestCodec.read(Unpooled.wrappedBuffer(bytes)), ref);
        assertThat(ManifestRef.of(ref.objectId(), owned).digest()).isEqualTo(ref.digest());
        return owned;
    }

    private List<StreamRange> ranges(StreamState stream) {
        List<StreamRange> ranges = new ArrayList<>();
        stream.manifests().forEach(manifest -> owned(manifest).forEach(owned -> ranges.add(owned.range())));
        ranges.addAll(stream.catalog());
        return ranges;
    }

    private void verifyOwned(long stream, OwnedRange owned) {
        StreamRange range = owned.range();
        byte[] bytes = world.store.objects.get(ObjectKeys.key(range.objectId()));
        assertThat(bytes)
                .as("O1: object %s, which a manifest of stream %s owns, is in the store", range.objectId(), stream)
                .isNotNull();
        assertThat((long) bytes.length).isEqualTo(owned.objectBytes());
        if (verified.get(range.objectId()) != bytes) {
            int from = Math.toIntExact(range.position());
            assertThat(Arrays.copyOfRange(bytes, from, from + range.length()))
                    .as("O1: offsets %s of stream %s", range, stream)
                    .isEqualTo(model(stream, range.baseOffset(), range.endOffset()));
            verified.put(range.objectId(), bytes);
        }
    }

    private void verify(long objectId, byte[] bytes) {
        if (verified.get(objectId) == bytes) {
            return;
        }
        BundleFooter footer = footer(bytes);
        Set<BuiltRange> held = new HashSet<>();
        for (int i = 0; i < footer.rangeCount(); i++) {
            held.add(footer.range(i));
        }
        for (StreamState stream : world.control.image().streams()) {
            for (StreamRange range : stream.catalog()) {
                if (range.objectId() == objectId) {
                    BuiltRange listed = new BuiltRange(
                            stream.streamId(),
                            range.baseOffset(),
                            range.endOffset(),
                            range.position(),
                            range.length(),
                            range.maxEventTimeMs(),
                            range.maxAppendTimeMs());
                    assertThat(held.contains(listed))
                            .as("O1: the object's own table has the catalog's range %s", listed)
                            .isTrue();
                    int from = Math.toIntExact(range.position());
                    assertThat(Arrays.copyOfRange(bytes, from, from + range.length()))
                            .as("O1: offsets %s of stream %s in object %s", range, stream.streamId(), objectId)
                            .isEqualTo(model(stream.streamId(), range.baseOffset(), range.endOffset()));
                }
            }
        }
        verified.put(objectId, bytes);
    }

    static BundleFooter footer(byte[] bytes) {
        ByteBuf all = Unpooled.wrappedBuffer(bytes);
        int needed = BundleFooter.footerAndTrailerBytes(all, bytes.length);
        return BundleFooter.read(all.slice(bytes.length - needed, needed), bytes.length);
    }

    private byte[] model(long stream, long baseOffset, long endOffset) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (byte[] batch : world.acknowledged.get(stream)) {
            if (TestBatches.baseOffset(batch) >= baseOffset && TestBatches.endOffset(batch) <= endOffset) {
                bytes.writeBytes(batch);
            }
        }
        return bytes.toByteArray();
    }

    /** O2: every acknowledged offset is in exactly one published range, or else in an extent that is not flushed. */
    void eachOffsetIsInOnePlace() {
        Map<Long, List<FrameEntry>> unflushed = unflushedFrames();
        for (StreamState stream : world.control.image().streams()) {
            long next = stream.logStartOffset();
            List<StreamRange> ranges = ranges(stream);
            if (!ranges.isEmpty()) {
                StreamRange first = stream.manifests().isEmpty() ? ranges.get(0) : firstManifest(stream, ranges.get(0));
                assertThat(first.endOffset())
                        .as("O2: nothing of stream %s is kept that is wholly before its beginning", stream.streamId())
                        .isGreaterThan(next);
                assertThat(first.baseOffset()).isLessThanOrEqualTo(next);
                next = first.baseOffset();
            }
            for (StreamRange range : ranges) {
                assertThat(range.baseOffset())
                        .as("O2: ranges of stream %s follow each other", stream.streamId())
                        .isEqualTo(next);
                next = range.endOffset();
            }
            long published = next;
            for (FrameEntry frame : unflushed.getOrDefault(stream.streamId(), List.of())) {
                if (frame.endOffset() <= published) {
                    // Of an extent that is published in part, or deleted before it was published
                    continue;
                }
                boolean holdsTheBeginning =
                        stream.catalog().isEmpty() && next == stream.logStartOffset() && frame.baseOffset() < next;
                if (!holdsTheBeginning) {
                    assertThat(frame.baseOffset())
                            .as("O2: unflushed offsets of stream %s follow the published ones", stream.streamId())
                            .isEqualTo(next);
                }
                next = frame.endOffset();
            }
            assertThat(next)
                    .as("O2: nothing acknowledged of stream %s is missing", stream.streamId())
                    .isEqualTo(world.endOffset(stream.streamId()));
        }
    }

    /** It stays as long as it holds anything that counts, and so does what it lists before that. */
    private static StreamRange firstManifest(StreamState stream, StreamRange first) {
        return new StreamRange(first.baseOffset(), stream.manifests().get(0).endOffset(), first.objectId(), 0, 1, 0, 0);
    }

    private Map<Long, List<FrameEntry>> unflushedFrames() {
        Map<Long, List<FrameEntry>> frames = new HashMap<>();
        for (ExtentState extent : world.control.image().extents()) {
            if (extent.phase() != Phase.FLUSHED) {
                for (FrameEntry frame : world.wal.framesNow(extent.extentId())) {
                    if (frame.kind() == FrameKind.DATA) {
                        frames.computeIfAbsent(frame.streamId(), id -> new ArrayList<>())
                                .add(frame);
                    }
                }
            }
        }
        frames.values().forEach(each -> each.sort(Comparator.comparingLong(FrameEntry::baseOffset)));
        return frames;
    }

    /** O3: what is in the store is referenced, prepared, or doomed. */
    void everyObjectIsKnown() {
        assertThat(storedIds()).as("O3: objects in the store that nobody knows").isSubsetOf(known());
    }

    /** O3 after all time limits: what is in the store is published, and nothing else is remembered. */
    void nothingLeaked() {
        assertThat(world.control.image().retiredManifests())
                .as("O3: manifests of nobody")
                .isEmpty();
        for (StreamState stream : world.control.image().streams()) {
            if (!stream.manifests().isEmpty()) {
                assertThat(owned(stream.manifests().get(0)).get(0).range().endOffset())
                        .as("O3: what is before the beginning of stream %s is released", stream.streamId())
                        .isGreaterThan(stream.logStartOffset());
            }
        }
        assertThat(world.control.image().objects())
                .as("O3: objects that are neither published nor gone in the end")
                .allMatch(object -> object.phase() == ObjectState.Phase.PUBLISHED);
        assertThat(storedIds()).as("O3: the store holds just what is published").isEqualTo(known());
    }

    /** To the control plane, or to a manifest it knows. */
    private Set<Long> known() {
        Set<Long> known = world.control.image().objects().stream()
                .map(ObjectState::objectId)
                .collect(Collectors.toSet());
        refs().forEach(manifest -> owned(manifest)
                .forEach(owned -> assertThat(known.add(owned.range().objectId()))
                        .as("C4: object %s is one manifest's own", owned.range().objectId())
                        .isTrue()));
        return known;
    }

    private Set<Long> storedIds() {
        return world.store.objects.keySet().stream()
                .map(key -> ObjectKeys.objectId(key).orElseThrow())
                .collect(Collectors.toSet());
    }

    /** W5: a local extent goes only when all its ranges are published or its streams are gone. */
    void mayBeDeleted(long extentId) {
        ExtentState extent = world.control.image().extent(extentId).orElse(null);
        assertThat(extent == null || extent.phase() == Phase.FLUSHED)
                .as("W5: extent %s is deleted while %s", extentId, extent)
                .isTrue();
        for (FrameEntry frame : world.wal.framesNow(extentId)) {
            if (frame.kind() == FrameKind.DATA) {
                world.control.image().stream(frame.streamId()).ifPresent(stream -> assertThat(stream.catalogEndOffset())
                        .as("W5: extent %s is deleted, offsets of stream %s", extentId, stream.streamId())
                        .isGreaterThanOrEqualTo(frame.endOffset()));
            }
        }
    }
}
