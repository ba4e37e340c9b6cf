package io.catchment.broker.partition;

import io.catchment.controlplane.Command.Resignation;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * A partition on its way to another owner (DESIGN §6 "Planned"): it takes no appends, waits until what it took is acknowledged, and
 * leaves its producers' state in a checkpoint frame. Owned by the partition's event loop.
 *
 * <p>Appends that come meanwhile are kept waiting, without their batches, until the change is known: their answer then names the new
 * leader (KIP-951), and the client sends again at once instead of after its backoff.
 */
final class Resigning {
    static final long PATIENCE_MS = 1_000;
    private static final long RETRY_MS = 50;

    private record Parked(AppendCompletion completion, int slot) {}

    private final Partition partition;
    private final Consumer<Resignation> done;
    private final List<Parked> parked = new ArrayList<>();
    private boolean checkpointQueued;
    private boolean impatient;
    private boolean over;

    /** @param done called on the event loop when the partition may change hands */
    Resigning(Partition partition, Consumer<Resignation> done) {
        this.partition = partition;
        this.done = done;
    }

    void begin() {
        var unused =
                partition.loop().eventLoop().schedule(this::loseParkedPatience, PATIENCE_MS, TimeUnit.MILLISECONDS);
        goOn();
    }

    /** After each acknowledgement. */
    void goOn() {
        if (over || checkpointQueued || !partition.isQuiet()) {
            return;
        }
        if (partition.isUntouched()) {
            checkpointQueued = true;
            done.accept(new Resignation(partition.streamId(), partition.highWatermark(), 0, 0, 0));
            return;
        }
        checkpointQueued = partition.checkpointFor(this);
        if (!checkpointQueued) {
            var unused = partition.loop().eventLoop().schedule(this::goOn, RETRY_MS, TimeUnit.MILLISECONDS);
        }
    }

    PartitionLoop loop() {
        return partition.loop();
    }

    /** The checkpoint frame is acknowledged. */
    void left(long extentId, long payloadPosition, int length) {
        if (!over) {
            done.accept(new Resignation(
                    partition.streamId(), partition.highWatermark(), extentId, payloadPosition, length));
        }
    }

    /** False when the append is to be refused at once. */
    boolean park(@Nullable AppendCompletion completion, int slot) {
        if (impatient || completion == null) {
            return false;
        }
        parked.add(new Parked(completion, slot));
        return true;
    }

    private void loseParkedPatience() {
        impatient = true;
        answerParked(Errors.NOT_LEADER_OR_FOLLOWER);
    }

    /** The partition has another owner, or stays after all: who waited may ask again. */
    void end(Errors error) {
        over = true;
        impatient = true;
        answerParked(error);
    }

    private void answerParked(Errors error) {
        List<Parked> waiting = List.copyOf(parked);
        parked.clear();
        for (Parked append : waiting) {
            append.completion()
                    .failed(
                            append.slot(),
                            error,
                            "the partition changes its leader",
                            List.of(),
                            partition.logStartOffset());
        }
    }
}
