package io.catchment.objectstore.transfer;

/** Each has places, and a bandwidth, of its own. */
public enum Direction {
    UP,
    DOWN
}
