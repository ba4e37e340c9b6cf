package io.catchment.wal;

/** An ensemble member: a store, not a node. A node with another or an empty disk is another store (DESIGN §5). */
public record StoreRef(int nodeId, String storeId) {}
