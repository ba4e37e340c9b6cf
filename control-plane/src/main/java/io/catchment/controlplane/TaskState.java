package io.catchment.controlplane;

/**
 * Work on an extent that a node has been given. Idempotent: that two nodes do it does no harm, only the work is double. It stays
 * with the node while that lives and lists the extent in its heartbeats ({@link NodeLoad#extentsWorkedOn}); else another gets it.
 */
public record TaskState(Kind kind, long extentId, int nodeId, long nodeEpoch) {

    public enum Kind {
        /** The writer is gone: this holder uploads the sealed extent and publishes it. */
        FLUSH,
        /** Too few live stores hold the sealed extent: this node copies it to its own store and reports with AddHolder. */
        REPAIR
    }
}
