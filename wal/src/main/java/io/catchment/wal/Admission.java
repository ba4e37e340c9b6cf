package io.catchment.wal;

/** What {@link Wal#append} answered. An accepted frame is never failed later: it is acknowledged, or the process ends first. */
public enum Admission {
    /** The frame is queued; its acknowledgement will be reported, possibly only after a fault went away. */
    ACCEPTED,
    /** The lane cannot write now (disk full, EIO, read-only, no quorum). Nothing was taken; retry later. */
    SUSPENDED,
    /** The lane's queue is at its bound. Nothing was taken; retry later. */
    FULL,
    /** The WAL is closing or this node was fenced. Nothing was taken and nothing ever will be. */
    CLOSED
}
