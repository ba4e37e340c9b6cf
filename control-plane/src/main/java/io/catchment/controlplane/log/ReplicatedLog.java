package io.catchment.controlplane.log;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;

/**
 * The log that all nodes replay: what the state machine needs of a consensus algorithm and no more. Thread-safe.
 *
 * <p>Promises: batches are atomic; {@link LogListener#committed} delivers each batch once, in the same order everywhere, and
 * only when it is on a majority's disks <b>synced</b>, the proposer's own included if it is needed for that majority (with one
 * voter: synced here); a leader of an epoch proposes after everything of earlier epochs was delivered to it.
 */
public interface ReplicatedLog extends AutoCloseable {

    /** Largest batch in bytes, as {@link LogRecordSerde} counts. */
    int BATCH_BYTES_MAX = 7 * 1024 * 1024;

    void start(LogListener listener);

    /**
     * Appends records that commit together or never, as leader of the given epoch. Answers the offset of the last one; empty when
     * this node does not lead that epoch (any more). That it was appended says nothing about whether it will be committed.
     */
    OptionalLong propose(int leaderEpoch, List<LogRecord> batch);

    /**
     * Begins a snapshot of the state after the batch that ended at {@code lastOffset}; empty when the log has one at or past it.
     *
     * @param lastTimestampMs of that batch
     */
    Optional<SnapshotSink> snapshot(long lastOffset, int lastEpoch, long lastTimestampMs);

    /** Where a controller listens, as far as the log knows; not resolved, since that may take long. */
    Optional<InetSocketAddress> address(int nodeId);

    /** Answers a request of the consensus algorithm's own protocol, as a frame; its leader alone knows how all others stand. */
    CompletionStage<ByteBuffer> answer(ByteBuffer frame);

    /**
     * Nobody listens at the leader's address any more: a killed process is known by that long before its silence is. A voter asks for votes
     * without waiting for more of it, unless another leader is known by now. Harmless when it is wrong: the votes of those who hear the leader decide.
     */
    void leaderIsGone(Leadership leadership);

    @Override
    void close();
}
