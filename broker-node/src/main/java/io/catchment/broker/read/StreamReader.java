package io.catchment.broker.read;

import java.util.concurrent.CompletionStage;

/**
 * Reads acknowledged record batches of a stream wherever they lie: local extents first, then published objects. Knows
 * nothing of the tail cache. Thread-safe; nothing here blocks.
 */
public interface StreamReader {

    /**
     * Whole batches from the one that holds {@code fromOffset} (the first batch may begin before it), none at or past
     * {@code limitOffset}, as many as fit in {@code bytesMax} but at least one. Empty (base = end = fromOffset) when there are
     * none. May stop early at a boundary between extents or objects: call again. The receiver releases the payload.
     */
    CompletionStage<BatchRun> read(long streamId, long fromOffset, long limitOffset, int bytesMax);
}
