package io.catchment.objectstore;

import io.netty.buffer.ByteBuf;

/**
 * Builds one bundle: the ranges of many streams, written one stream after the other, each an unbroken run of payloads.
 * Not thread-safe: owned by whoever builds. Large payloads are referenced; small ones are gathered, which is cheaper than a reference each.
 */
public interface BundleBuilder extends AutoCloseable {

    /**
     * Begins the ranges of a stream; call {@link #payload} for each of its frames in offset order, then the next stream. Where offsets
     * do not follow each other a further range of the same stream begins. A stream is begun once.
     */
    void stream(long streamId);

    /** Takes over one reference of the payload. */
    void payload(long baseOffset, long endOffset, long maxEventTimeMs, long appendTimeMs, ByteBuf payload);

    /** The stream's checkpoint as of {@code offset}; takes over one reference of the payload. */
    void checkpoint(long offset, ByteBuf payload);

    /** Bytes so far, without the footer. */
    long bytes();

    Built build();

    /** Releases what was added and not built. */
    @Override
    void close();

    /** @param body one reference, owned by the caller: pass it to {@link ObjectStore#put} */
    record Built(ByteBuf body, java.util.List<BuiltRange> ranges, java.util.List<BuiltCheckpoint> checkpoints) {}

    record BuiltRange(
            long streamId,
            long baseOffset,
            long endOffset,
            long position,
            int length,
            long maxEventTimeMs,
            long maxAppendTimeMs) {}

    record BuiltCheckpoint(long streamId, long offset, long position, int length) {}
}
