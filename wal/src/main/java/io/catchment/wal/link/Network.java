package io.catchment.wal.link;

import java.util.concurrent.CompletionStage;

/** The way to other nodes. Thread-safe. */
public interface Network extends AutoCloseable {

    /**
     * Connects to the WAL port of a node. The stage fails with {@link java.io.IOException} when the node cannot be reached in
     * time; then the handler hears nothing.
     */
    CompletionStage<Link> connect(int nodeId, LinkHandler handler);

    /** Ends all connections and listens no more. */
    @Override
    void close();
}
