package io.catchment.controlplane.log;

/** The whole state up to and including {@link #lastOffset}: it replaces what was replayed before. */
public interface SnapshotReader extends LogReader {
    long lastOffset();

    int lastEpoch();

    /** Wall clock of the batch that ended there; asked before the first batch is read. */
    long lastTimestampMs();
}
