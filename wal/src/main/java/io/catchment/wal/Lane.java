package io.catchment.wal;

/** One of a node's independent WAL writers, one per priority class (DESIGN §5, §10). The ids are recorded: never reuse one. */
public enum Lane {
    URGENT(0),
    NORMAL(1),
    BULK(2);

    private static final Lane[] BY_ID = values();

    private final int id;

    Lane(int id) {
        this.id = id;
    }

    public int id() {
        return id;
    }

    /** Throws for an id that was never given out. */
    public static Lane of(int id) {
        return BY_ID[id];
    }
}
