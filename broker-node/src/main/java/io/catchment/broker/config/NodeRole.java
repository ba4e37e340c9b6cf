package io.catchment.broker.config;

/** What a node does in its cluster (Kafka's process.roles, and {@code wal}). */
public enum NodeRole {
    /** Serves clients. */
    BROKER,
    /** Keeps replicas of extents. */
    WAL,
    /** Takes part in the control plane's quorum. */
    CONTROLLER
}
