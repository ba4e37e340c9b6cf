package io.catchment.controlplane;

/**
 * An object as the state knows it.
 *
 * @param references ranges and checkpoints that point into it
 * @param sinceMs controller's wall clock of the last phase change
 */
public record ObjectState(long objectId, long bytes, int references, Phase phase, long sinceMs, long deadlineMs) {
    public enum Phase {
        PREPARED,
        PUBLISHED,
        DOOMED
    }
}
