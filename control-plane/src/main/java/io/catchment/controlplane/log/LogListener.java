package io.catchment.controlplane.log;

/**
 * Hears what the log has decided, in order, on the log's own thread: it must hand the work off and return. A listener that
 * throws stops the node.
 */
public interface LogListener {

    /** Committed batches; on the node that proposed them and on all others alike. */
    void committed(LogReader batches);

    /** Comes instead of batches that are no longer in the log. */
    void snapshot(SnapshotReader snapshot);

    /** This node is told of its own leadership only after it was given everything committed before (so it may decide). */
    void leadership(Leadership leadership);
}
