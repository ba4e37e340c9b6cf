package io.catchment.wal;

/** What a frame's payload is. The ids are written to disk: never reuse one. */
public enum FrameKind {
    /** Record batches of the stream, byte for byte as readers get them. */
    DATA(0),
    /** A snapshot of the stream's state as of its base offset, opaque to the WAL; record count 0. */
    CHECKPOINT(1),
    /** Keeps an idle lane sure of its quorum; belongs to no stream. */
    NOOP(2);

    private final int id;

    FrameKind(int id) {
        this.id = id;
    }

    public int id() {
        return id;
    }
}
