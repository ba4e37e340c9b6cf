package io.catchment.broker.partition;

import io.catchment.broker.loop.Attempt;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Command.Resignation;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.ControlPlane;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives streams to their next owners (DESIGN §6 "Planned"): stops them, and when all they took is acknowledged resigns them, many in one
 * command. Owned by the opener's thread. A stream whose command's fate is not known stays stopped until it is: two could serve it else.
 */
final class Handovers {
    private static final Logger log = LoggerFactory.getLogger(Handovers.class);
    /** So that streams that stop together resign together. */
    private static final long GATHER_MS = 2;

    private static final long RETRY_MS = 500;
    private static final int AT_A_TIME = 5_000;

    private enum Step {
        STOPPING,
        STOPPED,
        RESIGNED
    }

    private static final class Move {
        final Partition partition;
        final long sinceNanos = System.nanoTime();
        long stoppedNanos;
        Step step = Step.STOPPING;

        @Nullable
        Resignation resignation;

        Move(Partition partition) {
            this.partition = partition;
        }
    }

    private final ControlPlane controlPlane;
    private final SerialLoop opener;
    private final int nodeId;
    private final long nodeEpoch;
    private final Consumer<List<Long>> lookAgain;
    private final Map<Long, Move> moves = new HashMap<>();
    private boolean gathering;

    /** @param lookAgain hears, on the opener's thread, of streams whose state in the image is to be looked at anew */
    Handovers(
            ControlPlane controlPlane, SerialLoop opener, int nodeId, long nodeEpoch, Consumer<List<Long>> lookAgain) {
        this.controlPlane = controlPlane;
        this.opener = opener;
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        this.lookAgain = lookAgain;
    }

    /** The image wants this stream elsewhere. */
    void begin(Partition partition) {
        if (!moves.containsKey(partition.streamId())) {
            Move move = new Move(partition);
            moves.put(partition.streamId(), move);
            partition.loop().eventLoop().execute(() -> partition.resign(resignation -> stopped(move, resignation)));
        }
    }

    /** The image wants it here after all; too late when the command is on its way. */
    void cancel(Partition partition) {
        Move move = moves.get(partition.streamId());
        if (move != null && move.step != Step.RESIGNED) {
            stay(move);
        }
    }

    void closed(long streamId) {
        moves.remove(streamId);
    }

    private void stay(Move move) {
        if (moves.remove(move.partition.streamId(), move)) {
            move.partition.loop().eventLoop().execute(move.partition::stay);
        }
    }

    private void stopped(Move move, Resignation resignation) {
        opener.execute(() -> {
            if (moves.get(move.partition.streamId()) == move) {
                move.step = Step.STOPPED;
                move.stoppedNanos = System.nanoTime();
                move.resignation = resignation;
                gather(GATHER_MS);
            }
        });
    }

    private void gather(long delayMs) {
        if (!gathering) {
            gathering = true;
            opener.schedule(this::resignStopped, delayMs);
        }
    }

    private void resignStopped() {
        gathering = false;
        List<Move> batch = new ArrayList<>();
        List<Resignation> resignations = new ArrayList<>();
        for (Move move : moves.values()) {
            if (move.step == Step.STOPPED && move.resignation != null && batch.size() < AT_A_TIME) {
                move.step = Step.RESIGNED;
                batch.add(move);
                resignations.add(move.resignation);
            }
        }
        if (batch.isEmpty()) {
            return;
        }
        if (batch.size() == AT_A_TIME) {
            gather(GATHER_MS);
        }
        Command.ResignStreams command = new Command.ResignStreams(nodeId, nodeEpoch, resignations);
        Attempt.of(() -> controlPlane.submit(command))
                .whenComplete((epochs, failure) -> opener.execute(() -> answered(batch, epochs, failure)));
    }

    private void answered(List<Move> batch, @Nullable Map<Long, Integer> epochs, @Nullable Throwable failure) {
        if (epochs != null) {
            List<Long> again = new ArrayList<>();
            log.info(
                    "Gave {} partitions to other nodes: stopped {} ms, resigned {} ms after they were asked for",
                    epochs.size(),
                    longestMs(batch, move -> move.stoppedNanos),
                    longestMs(batch, move -> System.nanoTime()));
            for (Move move : batch) {
                // Those that moved are closed by the image; nobody could take the others.
                if (!epochs.containsKey(move.partition.streamId())) {
                    stay(move);
                    again.add(move.partition.streamId());
                }
            }
            opener.schedule(() -> lookAgain.accept(again), RETRY_MS);
            return;
        }
        CommandException.Reason reason = reason(failure);
        if (reason == CommandException.Reason.FENCED) {
            return;
        }
        log.warn("Handing over {} streams failed and is tried again: {}", batch.size(), String.valueOf(failure));
        // What is no answer of the control plane says nothing about the command either
        if (reason == null || reason == CommandException.Reason.UNCERTAIN) {
            settle(batch);
        } else {
            release(batch);
        }
    }

    private static long longestMs(List<Move> batch, ToLongFunction<Move> untilNanos) {
        return TimeUnit.NANOSECONDS.toMillis(batch.stream()
                .mapToLong(move -> untilNanos.applyAsLong(move) - move.sinceNanos)
                .max()
                .orElse(0));
    }

    /** After the barrier no late copy of the command can take effect, and the image says whether it did. */
    private void settle(List<Move> batch) {
        Attempt.of(controlPlane::barrier)
                .whenComplete((done, failure) -> opener.execute(() -> {
                    if (failure == null) {
                        release(batch);
                    } else {
                        opener.schedule(() -> settle(batch), RETRY_MS);
                    }
                }));
    }

    private void release(List<Move> batch) {
        List<Long> streams =
                batch.stream().map(move -> move.partition.streamId()).toList();
        var image = controlPlane.image();
        for (Move move : batch) {
            boolean mine = image.stream(move.partition.streamId())
                    .filter(stream -> stream.ownerNodeId() == nodeId && stream.epoch() == move.partition.leaderEpoch())
                    .isPresent();
            if (mine) {
                stay(move);
            }
        }
        opener.schedule(() -> lookAgain.accept(streams), RETRY_MS);
    }

    private static CommandException.@Nullable Reason reason(@Nullable Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        return cause instanceof CommandException command ? command.reason() : null;
    }
}
