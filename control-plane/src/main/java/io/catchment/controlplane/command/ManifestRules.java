package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ManifestDigest;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.ObjectState.Phase;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.proto.ManifestPublished;
import io.catchment.controlplane.proto.ManifestReleased;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.Protos;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The old part of a catalog goes to a manifest, and what such a manifest owns is let go (DESIGN §4 "Bounded"). */
final class ManifestRules {
    /** Ranges of one manifest. */
    static final int RANGES_MAX = 4096;

    /** Nothing of a retired manifest is needed. */
    private static final long WHOLE = Long.MAX_VALUE;

    private ManifestRules() {}

    static Decision<Command.Done> publish(Command.PublishManifest command, Draft draft) {
        @Nullable String fenced = draft.fenced(command.nodeId(), command.nodeEpoch());
        if (fenced != null) {
            return Draft.refuse(Reason.FENCED, fenced);
        }
        List<OwnedRange> ranges = command.ranges();
        if (ranges.isEmpty() || ranges.size() > RANGES_MAX || !followEachOther(ranges)) {
            return Draft.refuse(
                    Reason.INVALID,
                    "a manifest of stream " + command.streamId() + " lists from 1 to " + RANGES_MAX
                            + " ranges that follow each other, not these " + ranges.size());
        }
        @Nullable StreamState stream = draft.state().streams().get(command.streamId());
        if (stream != null && stream.manifests().stream().anyMatch(each -> each.objectId() == command.objectId())) {
            return draft.accept(new Command.Done());
        }
        @Nullable ObjectState object = draft.state().objects().get(command.objectId());
        if (object == null || object.phase() == Phase.DOOMED) {
            return Draft.refuse(
                    Reason.NOT_FOUND,
                    "object " + command.objectId() + (object == null ? " does not exist" : " is doomed")
                            + ": its time limit is over");
        }
        if (object.phase() == Phase.PUBLISHED) {
            return Draft.refuse(Reason.INVALID, "object " + command.objectId() + " is published already");
        }
        int known = stream == null ? -1 : known(command, stream);
        if (stream == null || known < 0 || !isCurrent(ranges.subList(known, ranges.size()), stream, draft)) {
            // The object holds nothing of use, and expires
            return draft.accept(new Command.Done());
        }
        draft.own(Record.newBuilder()
                .setManifestPublished(ManifestPublished.newBuilder()
                        .setStreamId(command.streamId())
                        .setObjectBytes(command.objectBytes())
                        .setAtMs(draft.conditions().nowMs())
                        .setReplacesNewest(known > 0)
                        .setTaken(ranges.size() - known)
                        .setManifest(Protos.manifest(ManifestRef.of(command.objectId(), ranges)))));
        return draft.accept(new Command.Done());
    }

    /** How many of the ranges are those of the manifest that is replaced; 0 when none is, -1 when they are not. */
    private static int known(Command.PublishManifest command, StreamState stream) {
        if (command.replacedObjectId() == Command.PublishManifest.NO_OBJECT) {
            return 0;
        }
        List<ManifestRef> manifests = stream.manifests();
        if (manifests.isEmpty()) {
            return -1;
        }
        ManifestRef newest = manifests.get(manifests.size() - 1);
        boolean same = newest.objectId() == command.replacedObjectId()
                && newest.ranges() < command.ranges().size()
                && newest.digest()
                        == ManifestDigest.of(command.ranges().subList(0, newest.ranges()), ManifestDigest.NOTHING);
        return same ? newest.ranges() : -1;
    }

    /** They are the catalog's first, not all of it, and each alone in its object. */
    private static boolean isCurrent(List<OwnedRange> taken, StreamState stream, Draft draft) {
        List<StreamRange> catalog = stream.catalog();
        if (taken.isEmpty() || taken.size() >= catalog.size()) {
            return false;
        }
        for (int i = 0; i < taken.size(); i++) {
            OwnedRange owned = taken.get(i);
            @Nullable
            ObjectState object = draft.state().objects().get(owned.range().objectId());
            if (!owned.range().equals(catalog.get(i))
                    || object == null
                    || !object.isHeldByOne()
                    || object.bytes() != owned.objectBytes()) {
                return false;
            }
        }
        return true;
    }

    private static boolean followEachOther(List<OwnedRange> ranges) {
        long end = ranges.get(0).range().baseOffset();
        for (OwnedRange owned : ranges) {
            StreamRange range = owned.range();
            if (range.baseOffset() != end || range.endOffset() <= end || range.length() < 1) {
                return false;
            }
            end = range.endOffset();
        }
        return true;
    }

    static Decision<Command.Done> release(Command.ReleaseManifest command, Draft draft) {
        @Nullable String fenced = draft.fenced(command.nodeId(), command.nodeEpoch());
        if (fenced != null) {
            return Draft.refuse(Reason.FENCED, fenced);
        }
        List<OwnedRange> released = command.released();
        if (released.isEmpty() || released.size() > RANGES_MAX) {
            return Draft.refuse(
                    Reason.INVALID, "from 1 to " + RANGES_MAX + " ranges can be released, not " + released.size());
        }
        @Nullable ManifestRef retired = draft.state().retired().get(command.objectId());
        @Nullable StreamState stream = draft.state().streams().get(command.streamId());
        @Nullable ManifestRef manifest = retired != null ? retired : manifest(command.objectId(), stream);
        boolean retiredMeanwhile = retired != null && command.next() != null;
        if (manifest == null || retiredMeanwhile || released.get(0).range().baseOffset() < manifest.baseOffset()) {
            // Somebody did it before, or more of it is to go by now
            return draft.accept(new Command.Done());
        }
        long goneBefore = retired != null || stream == null ? WHOLE : stream.logStartOffset();
        @Nullable String objection = objection(command, manifest, goneBefore, draft);
        if (objection != null) {
            return Draft.refuse(Reason.INVALID, "manifest " + command.objectId() + ": " + objection);
        }
        draft.own(Record.newBuilder().setManifestReleased(released(command, manifest, draft)));
        return draft.accept(new Command.Done());
    }

    private static @Nullable ManifestRef manifest(long objectId, @Nullable StreamState stream) {
        if (stream != null) {
            for (ManifestRef manifest : stream.manifests()) {
                if (manifest.objectId() == objectId) {
                    return manifest;
                }
            }
        }
        return null;
    }

    /** Null if the ranges are the manifest's first, and their objects may go. */
    private static @Nullable String objection(
            Command.ReleaseManifest command, ManifestRef manifest, long goneBefore, Draft draft) {
        List<OwnedRange> released = command.released();
        @Nullable OwnedRange next = command.next();
        boolean whole = goneBefore == WHOLE;
        if (next == null ? !whole || released.size() != manifest.ranges() : whole) {
            return whole ? "it is retired, and goes as a whole" : "its last ranges are needed";
        }
        List<OwnedRange> named = new ArrayList<>(released);
        if (next != null) {
            named.add(next);
        }
        if (ManifestDigest.of(named, next == null ? ManifestDigest.NOTHING : command.rest()) != manifest.digest()) {
            return "it does not begin with these " + released.size() + " ranges";
        }
        for (OwnedRange owned : released) {
            if (owned.range().endOffset() > goneBefore) {
                return "offsets " + owned.range().baseOffset() + " to "
                        + owned.range().endOffset() + " are needed";
            }
            if (draft.state().objects().containsKey(owned.range().objectId())) {
                return "object " + owned.range().objectId() + " is not its own";
            }
        }
        return null;
    }

    private static ManifestReleased.Builder released(
            Command.ReleaseManifest command, ManifestRef manifest, Draft draft) {
        ManifestReleased.Builder record = ManifestReleased.newBuilder()
                .setStreamId(command.streamId())
                .setObjectId(command.objectId())
                .setAtMs(draft.conditions().nowMs());
        long bytes = 0;
        for (OwnedRange owned : command.released()) {
            record.addObjectIds(owned.range().objectId()).addObjectBytes(owned.objectBytes());
            bytes += owned.range().length();
        }
        @Nullable OwnedRange next = command.next();
        if (next != null) {
            record.setRemaining(Protos.manifest(manifest.without(
                    command.released().size(), bytes, next.range(), ManifestDigest.of(List.of(next), command.rest()))));
        }
        return record;
    }
}
