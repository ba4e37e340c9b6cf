package io.catchment.wal;

/** One of a node's independent WAL writers, one per priority class (DESIGN §5, §10). */
public enum Lane {
    URGENT,
    NORMAL,
    BULK
}
