package io.catchment.broker.coordinatorlog;

import io.catchment.broker.partition.PartitionView;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;

/**
 * One time of this node as owner of one partition of {@code __consumer_offsets}, from the start of a load to the loss of
 * ownership. Thread-safe without a lock: {@code ended} only ever turns true, and {@code lastAppend} is written by the one
 * coordinator thread that holds the partition's event and read by the load that follows it.
 */
public final class Tenure {
    private final PartitionView view;
    private final int epoch;
    private volatile boolean ended;
    private volatile CompletableFuture<Long> lastAppend = CompletableFuture.completedFuture(0L);

    public Tenure(PartitionView view) {
        this.view = view;
        this.epoch = view.leaderEpoch();
    }

    public TopicPartition topicPartition() {
        return view.topicPartition();
    }

    public PartitionView view() {
        return view;
    }

    /** Appends name it, so that a coordinator that has not yet heard of its resignation cannot write into the next tenure. */
    public int epoch() {
        return epoch;
    }

    /** Not a matter of {@link PartitionView#serving}: a quorum that is silent for a moment does not end a tenure, and nothing would begin the next. */
    public boolean holds() {
        return !ended && view.owned() && view.leaderEpoch() == epoch;
    }

    public void end() {
        ended = true;
    }

    /** The newest append, whose fate a reload has to wait for: it may be in the log although it was given up. */
    public CompletableFuture<Long> lastAppend() {
        return lastAppend;
    }

    public void appending(CompletableFuture<Long> endOffset) {
        lastAppend = endOffset;
    }

    /** Whether this is still the tenure to load again from, after the coordinator found itself out of step with its log. */
    public boolean isOf(PartitionView other) {
        return other == view && holds();
    }
}
