package io.catchment.wal;

import java.util.List;

/** What the WAL tells its user. All calls of one lane come from that lane's thread, in order; they must not block. */
public interface WalListener {

    /** One group commit became acknowledged: frames in the order of the extent. Called once per group, not per frame. */
    void acknowledged(Lane lane, List<Acknowledged> group);

    /**
     * The open extent is due to roll (size or age). The listener appends the checkpoint frames of the streams it holds and
     * then calls {@link Wal#roll}; if it does not within the roll timeout, the lane rolls by itself.
     */
    void rollDue(Lane lane, long extentId);

    /** The control plane has recorded the final length of an extent of this lane; it may be flushed now. */
    void sealed(Lane lane, long extentId, long length);

    /** The lane stopped or resumed accepting frames. {@code reason} is for people: it names the fault, or is empty. */
    void laneState(Lane lane, boolean accepting, String reason);

    /**
     * The lane knows better than before whether this node may go on serving its streams. Told on a change; HELD and LOST only
     * for ensembles larger than one store, where an idle lane asks its quorum once a second.
     */
    default void authority(Lane lane, Authority authority, String reason) {}

    /** One group was written and synced by this node's own store: for latency metrics. {@code syncNanos} is the sync alone. */
    default void groupSynced(Lane lane, int frames, long bytes, long writeNanos, long syncNanos) {}
}
