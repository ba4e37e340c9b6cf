package io.catchment.controlplane;

/**
 * An object as the state knows it.
 *
 * @param references ranges and checkpoints that point into it; of a manifest, one
 * @param partial more of a flush's ranges in it are still to be published
 * @param sinceMs controller's wall clock of the last phase change
 */
public record ObjectState(
        long objectId, long bytes, int references, Phase phase, boolean partial, long sinceMs, long deadlineMs) {
    /** Nothing more comes into it. */
    public ObjectState(long objectId, long bytes, int references, Phase phase, long sinceMs, long deadlineMs) {
        this(objectId, bytes, references, phase, false, sinceMs, deadlineMs);
    }

    /** A manifest can take it over: one range, or one checkpoint, points into it, and that is all there will be. */
    public boolean isHeldByOne() {
        return phase == Phase.PUBLISHED && references == 1 && !partial;
    }

    public enum Phase {
        PREPARED,
        PUBLISHED,
        DOOMED
    }
}
