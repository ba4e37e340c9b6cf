package io.catchment.broker.read;

import io.catchment.objectstore.ReadClass;
import java.util.concurrent.CompletionStage;

/**
 * Reads acknowledged record batches of a stream wherever they lie: local extents first, then published objects. Knows
 * nothing of the tail cache. Thread-safe; nothing here blocks.
 */
public interface StreamReader {

    /**
     * Whole batches from the one that holds {@code fromOffset} (the first batch may begin before it), none that ends past
     * {@code limitOffset}, as many as fit in {@code bytesMax} but at least one. Empty (base = end = fromOffset) when there are
     * none, or the offset is below the log start, or the stream is gone. May stop early at a boundary between extents or objects: call again. The
     * receiver releases the payload, soon: until then it counts against the memory for reads below the tail, for which
     * this may have to wait. Cancelling the stage's future gives the read up.
     *
     * <p>Never hold one answer while waiting for another: see {@link #readIfRoom}.
     */
    CompletionStage<BatchRun> read(long streamId, long fromOffset, long limitOffset, int bytesMax);

    /** The same, for one of a class. A reader that knows no classes treats all alike. */
    default CompletionStage<BatchRun> read(
            long streamId, long fromOffset, long limitOffset, int bytesMax, ReadClass as) {
        return read(streamId, fromOffset, limitOffset, bytesMax);
    }

    /**
     * Like {@link #read}, but empty at once when the memory for reads below the tail is taken. For the second and further
     * partitions of one request: readers that wait while they hold could wait for each other for ever.
     */
    default CompletionStage<BatchRun> readIfRoom(
            long streamId, long fromOffset, long limitOffset, int bytesMax, ReadClass as) {
        return read(streamId, fromOffset, limitOffset, bytesMax, as);
    }

    /**
     * How many bytes, of those wanted, a read from there on can bring at most, as far as that is known without a read: who reads several
     * partitions for one answer sets no more aside for each. A batch that begins at or holds the offset fits.
     */
    default int bytesAtMost(long streamId, long fromOffset, int bytesMax) {
        return bytesMax;
    }
}
