package io.catchment.objectstore.cache;

/** @param block index of the block in the object */
record BlockKey(long objectId, int block) {}
