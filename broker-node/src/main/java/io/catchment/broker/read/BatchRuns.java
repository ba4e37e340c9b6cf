package io.catchment.broker.read;

import io.netty.buffer.Unpooled;

/** Makes and cuts runs of batches. */
public final class BatchRuns {
    private BatchRuns() {}

    public static BatchRun empty(long offset) {
        return new BatchRun(offset, offset, Unpooled.EMPTY_BUFFER);
    }

    /**
     * The run without the batches that end past {@code limitOffset}: what a reader that stops at the last stable offset may see.
     * Takes over the run's reference and hands one on in the answer.
     */
    public static BatchRun until(BatchRun run, long limitOffset) {
        if (run.endOffset() <= limitOffset) {
            return run;
        }
        BatchCut cut = BatchCut.of(run.payload(), run.baseOffset(), limitOffset, Integer.MAX_VALUE);
        if (cut.isEmpty()) {
            run.payload().release();
            return empty(run.baseOffset());
        }
        return new BatchRun(cut.baseOffset(), cut.endOffset(), run.payload().slice(cut.start(), cut.length()));
    }
}
