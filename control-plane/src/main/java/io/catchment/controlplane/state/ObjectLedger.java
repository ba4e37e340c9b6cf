package io.catchment.controlplane.state;

import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.ObjectState.Phase;
import org.apache.kafka.server.immutable.ImmutableMap;
import org.apache.kafka.server.immutable.ImmutableNavigableSet;
import org.jspecify.annotations.Nullable;

/**
 * The objects while records are replayed; owned by one {@link StateBuilder}. Keeps O3: an object is prepared, or referenced, or
 * doomed, or owned by a manifest and not here; its count is the number of ranges, checkpoints and manifests' pointers that point to it, and the
 * step that drops the last one dooms it.
 */
final class ObjectLedger {
    private final ChangeListener changes;
    private ImmutableMap<Long, ObjectState> objects;
    private ImmutableNavigableSet<Long> prepared;
    private long nextObjectId;

    ObjectLedger(ClusterState base, ChangeListener changes) {
        this.changes = changes;
        objects = base.objects();
        prepared = base.prepared();
        nextObjectId = base.nextObjectId();
    }

    ImmutableMap<Long, ObjectState> objects() {
        return objects;
    }

    ImmutableNavigableSet<Long> prepared() {
        return prepared;
    }

    long nextObjectId() {
        return nextObjectId;
    }

    void nextObjectId(long value) {
        nextObjectId = value;
    }

    void prepare(long firstId, int count, long atMs, long deadlineMs) {
        for (long id = firstId; id < firstId + count; id++) {
            if (objects.containsKey(id)) {
                throw new IllegalStateException("id " + id + " is given out again, and is that of " + objects.get(id));
            }
            put(new ObjectState(id, 0, 0, Phase.PREPARED, atMs, deadlineMs));
        }
        nextObjectId = Math.max(nextObjectId, firstId + count);
    }

    /**
     * The upload is complete; it has no references yet.
     *
     * @param partial more of it is to be published
     */
    void publish(long objectId, long bytes, boolean partial, long atMs) {
        ObjectState old = get(objectId);
        put(new ObjectState(objectId, bytes, old.references(), Phase.PUBLISHED, partial, atMs, old.deadlineMs()));
    }

    /** The one range that points into it moves to a manifest, which owns it from now on: it leaves the state, and is not deleted. */
    void own(long objectId) {
        ObjectState old = get(objectId);
        if (!old.isHeldByOne()) {
            throw new IllegalStateException("a manifest cannot own " + old);
        }
        objects = objects.removed(objectId);
        changes.object(objectId);
    }

    /** It was a manifest's own, and its range is gone: back in the state, to be deleted. */
    void doomOwned(long objectId, long bytes, long atMs) {
        if (objects.containsKey(objectId)) {
            throw new IllegalStateException("a manifest owns object " + objectId + ", and it is in the state");
        }
        put(new ObjectState(objectId, bytes, 0, Phase.DOOMED, atMs, 0));
    }

    void addReference(long objectId) {
        ObjectState old = get(objectId);
        if (old.phase() != Phase.PUBLISHED) {
            throw new IllegalStateException("object " + objectId + " gets a reference while " + old.phase());
        }
        put(withReferences(old, old.references() + 1));
    }

    void dropReference(long objectId, long atMs) {
        ObjectState old = get(objectId);
        if (old.references() < 1) {
            throw new IllegalStateException("object " + objectId + " loses a reference it does not have");
        }
        put(withReferences(old, old.references() - 1));
        doomIfUnreferenced(objectId, atMs);
    }

    void doomIfUnreferenced(long objectId, long atMs) {
        if (get(objectId).references() == 0) {
            doom(objectId, atMs);
        }
    }

    void doom(long objectId, long atMs) {
        ObjectState old = get(objectId);
        if (old.references() != 0) {
            throw new IllegalStateException(
                    "object " + objectId + " is doomed with " + old.references() + " references");
        }
        put(new ObjectState(objectId, old.bytes(), 0, Phase.DOOMED, atMs, old.deadlineMs()));
    }

    void forget(long objectId) {
        if (get(objectId).phase() != Phase.DOOMED) {
            throw new IllegalStateException("object " + objectId + " is forgotten while "
                    + get(objectId).phase());
        }
        objects = objects.removed(objectId);
        changes.object(objectId);
    }

    /** Sets it as a snapshot has it. */
    void put(ObjectState object) {
        long id = object.objectId();
        objects = objects.updated(id, object);
        prepared = object.phase() == Phase.PREPARED ? prepared.added(id) : prepared.removed(id);
        changes.object(id);
    }

    private ObjectState get(long objectId) {
        @Nullable ObjectState found = objects.get(objectId);
        if (found == null) {
            throw new IllegalStateException("object " + objectId + " is not in the state");
        }
        return found;
    }

    private static ObjectState withReferences(ObjectState old, int references) {
        return new ObjectState(
                old.objectId(), old.bytes(), references, old.phase(), old.partial(), old.sinceMs(), old.deadlineMs());
    }
}
