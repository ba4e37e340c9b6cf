package io.catchment.controlplane;

/** Offsets of a stream that lie in an object: (stream, base, end) to (object, position, length) and the newest times in them. */
public record StreamRange(
        long baseOffset,
        long endOffset,
        long objectId,
        long position,
        int length,
        long maxEventTimeMs,
        long maxAppendTimeMs) {}
