package io.catchment.broker.merge;

import java.util.concurrent.CompletionStage;

/** A piece of rewriting, small enough that others need not wait long for it. Owned by the loop; used once. Its text names it in the log. */
public interface RewriteStep {

    /**
     * Done, on the loop, with the bytes that count against the rate: those written, or read when nothing was. Fails with
     * {@link UnreadableRangeException} when a stream is better left alone for a while.
     */
    CompletionStage<Long> start();

    /** The loop has ended: nothing of the step comes any more. */
    void abandon();
}
