package io.catchment.controlplane;

/**
 * A range in a manifest, which owns the range's object: nothing else lies in that, and the state does not know it any more.
 *
 * @param objectBytes of the range's object
 */
public record OwnedRange(StreamRange range, long objectBytes) {}
