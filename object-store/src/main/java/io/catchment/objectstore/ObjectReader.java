package io.catchment.objectstore;

import io.netty.buffer.ByteBuf;
import java.util.concurrent.CompletionStage;

/**
 * Verified reads of ranges in published objects through the block cache (DESIGN §8): 1 MiB blocks, single-flight, read-ahead.
 * Thread-safe; nothing here blocks.
 */
public interface ObjectReader extends ObjectBytes, AutoCloseable {

    /** Where a range lies, from the catalog. */
    record Location(
            long objectId,
            long objectBytes,
            long streamId,
            long baseOffset,
            long endOffset,
            long position,
            int length) {}

    /**
     * Record batches of the range as a (composite) buffer of cached blocks, not copied: it starts at or a little before the
     * batch that holds {@code fromOffset} (the sparse index decides: the caller skips whole batches) and has at most
     * {@code bytesMax} bytes, more only if that is what one index step needs. It may end inside a batch. The caller releases it.
     *
     * @return bytes and whether they reach the end of the range
     */
    CompletionStage<RangeRead> read(Location location, long fromOffset, int bytesMax);

    /** The same, for one of a class. A reader that knows no classes treats all alike. */
    default CompletionStage<RangeRead> read(Location location, long fromOffset, int bytesMax, ReadClass as) {
        return read(location, fromOffset, bytesMax);
    }

    /** The position to read from for the first batch whose max event time is at or after {@code timeMs}: an offset to scan from. */
    CompletionStage<Long> offsetForTime(Location location, long timeMs);

    record RangeRead(ByteBuf payload, boolean reachesEnd) {}

    @Override
    void close();
}
