package io.catchment.broker.flush;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.TestBatches;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.BundleBuilder.BuiltRange;
import io.catchment.objectstore.ObjectKeys;
import io.catchment.objectstore.bundle.BundleFooter;
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
                verify(object.objectId(), bytes);
            }
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
                    assertThat(held)
                            .as("O1: the object's own table has the catalog's range")
                            .contains(new BuiltRange(
                                    stream.streamId(),
                                    range.baseOffset(),
                                    range.endOffset(),
                                    range.position(),
                                    range.length(),
                                    range.maxEventTimeMs(),
                                    range.maxAppendTimeMs()));
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
            if (!stream.catalog().isEmpty()) {
                StreamRange first = stream.catalog().get(0);
                assertThat(first.endOffset())
                        .as("O2: nothing of stream %s is kept that is wholly before its beginning", stream.streamId())
                        .isGreaterThan(next);
                assertThat(first.baseOffset()).isLessThanOrEqualTo(next);
                next = first.baseOffset();
            }
            for (StreamRange range : stream.catalog()) {
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
        assertThat(storedIds())
                .as("O3: objects in the store that nobody knows")
                .isSubsetOf(world.control.image().objects().stream()
                        .map(ObjectState::objectId)
                        .toList());
    }

    /** O3 after all time limits: what is in the store is published, and nothing else is remembered. */
    void nothingLeaked() {
        Set<Long> known = world.control.image().objects().stream()
                .map(ObjectState::objectId)
                .collect(Collectors.toSet());
        assertThat(world.control.image().objects())
                .as("O3: objects that are neither published nor gone in the end")
                .allMatch(object -> object.phase() == ObjectState.Phase.PUBLISHED);
        assertThat(storedIds()).as("O3: the store holds just what is published").isEqualTo(known);
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
