package io.catchment.broker.merge;

import java.util.Set;
import java.util.concurrent.CompletionStage;

/** A piece of rewriting, small enough that others need not wait long for it. Owned by the loop; used once. Its text names it in the log. */
public interface RewriteStep {

    /**
     * Done, on the loop, with the bytes that count against the rate: those written, or read when nothing was. Fails with
     * {@link UnreadableRangeException} when the trouble may be one stream's only.
     */
    CompletionStage<Long> start();

    /** Once it has succeeded: streams whose ranges were all read, as far as they were to be. */
    Set<Long> readWhole();

    /** The loop has ended: nothing of the step comes any more. */
    void abandon();
}
