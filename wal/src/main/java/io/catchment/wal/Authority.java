package io.catchment.wal;

/** Whether a lane's ensemble still takes this node for the writer (DESIGN §4): what allows it to go on serving. */
public enum Authority {
    /** A quorum answered: nobody can have been made owner in this node's place before it did. */
    HELD,
    /** No quorum answers. It may come back; until then somebody else may have taken over. */
    LOST,
    /** A recovery fenced this node, or its epoch is over, or its WAL broke. For ever. */
    FENCED
}
