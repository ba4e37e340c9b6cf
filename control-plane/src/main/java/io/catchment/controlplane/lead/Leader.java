package io.catchment.controlplane.lead;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.command.AnswerCodec;
import io.catchment.controlplane.command.CommandRules;
import io.catchment.controlplane.command.Conditions;
import io.catchment.controlplane.command.Decision;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.log.LogRecordSerde;
import io.catchment.controlplane.log.ReplicatedLog;
import io.catchment.controlplane.proto.Answer;
import io.catchment.controlplane.proto.Barrier;
import io.catchment.controlplane.proto.CommandDone;
import io.catchment.controlplane.proto.CommandResponse.Status;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.ChangeListener;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.CommandSession;
import io.catchment.controlplane.state.StateBuilder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The active controller's part of a node; does nothing on the others. Owned by the control thread.
 *
 * <p>Each command is decided on the state with everything appended so far, committed or not, so commands need not wait for each
 * other. Its reply is parked until the log's tail at that time is committed <b>and replayed here</b>; that goes for refusals too,
 * since what they were based on may yet be lost. When leadership is lost, the undecided tail's state is thrown away and its replies
 * become UNCERTAIN: the records may be committed by the next leader. Submitters retry with the same session and sequence, which
 * the state remembers if the command took effect.
 */
public final class Leader {
    private static final Logger LOG = LoggerFactory.getLogger(Leader.class);
    private static final int PARKED_MAX = 8192;
    private static final long UNDECIDED_BYTES_MAX = 32L << 20;
    /** Of a session's commands; nothing comes before it. */
    private static final long FIRST_SEQUENCE = 1;

    private final ReplicatedLog log;
    private final Supplier<Conditions> conditions;
    private final Deque<Parked> parked = new ArrayDeque<>();
    private boolean active;
    private int epoch;
    private ClusterState state = ClusterState.EMPTY;
    private long appendedOffset = -1;
    private long undecidedBytes;

    public Leader(ReplicatedLog log, Supplier<Conditions> conditions) {
        this.log = log;
        this.conditions = conditions;
    }

    /** @param bytes of the records appended for it */
    private record Parked(long offset, Reply reply, long bytes, Consumer<Reply> waiter) {}

    public boolean active() {
        return active;
    }

    /** The state with everything appended: what decisions are made on. */
    public ClusterState state() {
        return state;
    }

    /** This node leads from now on, and {@code committed} is all there is. */
    public void activate(int newEpoch, ClusterState committed, long committedOffset) {
        deactivate();
        active = true;
        epoch = newEpoch;
        state = committed;
        appendedOffset = committedOffset;
    }

    public void deactivate() {
        active = false;
        state = ClusterState.EMPTY;
        undecidedBytes = 0;
        List<Parked> lost = new ArrayList<>(parked);
        parked.clear();
        Reply uncertain = Reply.of(Status.UNCERTAIN, "this controller lost its leadership of epoch " + epoch);
        lost.forEach(each -> each.waiter().accept(uncertain));
    }

    /** A batch of a later epoch is committed: whatever this node has been told so far, what it appended after is lost. */
    public void committedIn(int committedEpoch) {
        if (active && committedEpoch > epoch) {
            deactivate();
        }
    }

    public void submit(Submission submission, Consumer<Reply> waiter) {
        if (!active) {
            waiter.accept(Reply.of(Status.NOT_LEADER, "this node is not the active controller"));
        } else if (parked.size() >= PARKED_MAX || undecidedBytes >= UNDECIDED_BYTES_MAX) {
            waiter.accept(Reply.of(
                    Status.UNAVAILABLE,
                    "the active controller has " + parked.size() + " commands with " + undecidedBytes
                            + " bytes under way; try again"));
        } else {
            decide(submission, waiter);
        }
    }

    private void decide(Submission submission, Consumer<Reply> waiter) {
        @Nullable Command<?> command = submission.command();
        if (command == null) {
            appendBarrier(submission, waiter);
            return;
        }
        @Nullable Reply remembered = remembered(submission);
        if (remembered != null) {
            park(remembered, 0, waiter);
            return;
        }
        Decision<?> decision;
        try {
            decision = CommandRules.decide(command, state, conditions.get());
        } catch (RuntimeException e) {
            // A fault of ours, but nothing is appended yet: it must not take the controller down, and the next one
            // after it
            LOG.error("deciding {} failed; it has no effect", command.getClass().getSimpleName(), e);
            park(Reply.of(Status.INVALID, "the controller failed on this command: " + e), 0, waiter);
            return;
        }
        if (decision instanceof Decision.Refused<?> refused) {
            park(Reply.of(status(refused.reason()), refused.message()), 0, waiter);
        } else {
            accept(submission, command, (Decision.Accepted<?>) decision, waiter);
        }
    }

    private void accept(
            Submission submission, Command<?> command, Decision.Accepted<?> decision, Consumer<Reply> waiter) {
        Answer answer = AnswerCodec.write(command, decision.answer());
        Reply reply = new Reply(Status.DONE, "", -1, answer);
        if (decision.records().isEmpty()) {
            park(reply, 0, waiter);
            return;
        }
        List<LogRecord> batch = new ArrayList<>(decision.records());
        LogRecord done = done(submission, answer);
        batch.add(done);
        append(batch, replayed(decision.after(), done), reply, waiter);
    }

    /** After it, a late copy of what its session waits for no longer is refused: who was told that a command is uncertain can wait that out. */
    private void appendBarrier(Submission submission, Consumer<Reply> waiter) {
        List<LogRecord> batch = new ArrayList<>();
        batch.add(LogRecord.own(Record.newBuilder().setBarrier(Barrier.newBuilder())));
        ClusterState after = state;
        @Nullable CommandSession session = state.sessions().get(submission.sessionId());
        if (submission.ackedBelow() > (session == null ? FIRST_SEQUENCE : session.ackedBelow())) {
            LogRecord done = done(submission, Answer.getDefaultInstance());
            batch.add(done);
            after = replayed(state, done);
        }
        append(batch, after, new Reply(Status.DONE, "", -1, null), waiter);
    }

    private static LogRecord done(Submission submission, Answer answer) {
        return LogRecord.own(Record.newBuilder()
                .setCommandDone(CommandDone.newBuilder()
                        .setSessionId(submission.sessionId())
                        .setSequence(submission.sequence())
                        .setAckedBelow(submission.ackedBelow())
                        .setAnswer(answer.toByteString())));
    }

    /** For the controller's own upkeep: nobody waits, and it comes again if it is lost. */
    public void append(List<LogRecord> batch) {
        ClusterState after = state;
        for (LogRecord record : batch) {
            after = replayed(after, record);
        }
        append(batch, after, Reply.of(Status.DONE, ""), reply -> {
            if (reply.status() == Status.INVALID) {
                LOG.error("What this controller does by itself is left undone: {}", reply.message());
            }
        });
    }

    private void append(List<LogRecord> batch, ClusterState after, Reply reply, Consumer<Reply> waiter) {
        long bytes;
        try {
            bytes = size(batch);
        } catch (RuntimeException e) {
            // Kafka's records refuse strings beyond their format's length
            park(Reply.of(Status.INVALID, "the command cannot be written: " + e.getMessage()), 0, waiter);
            return;
        }
        if (bytes > ReplicatedLog.BATCH_BYTES_MAX) {
            park(
                    Reply.of(
                            Status.INVALID,
                            "the command needs " + bytes + " bytes of records, at most " + ReplicatedLog.BATCH_BYTES_MAX
                                    + " fit; split it"),
                    0,
                    waiter);
            return;
        }
        OptionalLong offset = log.propose(epoch, batch);
        if (offset.isEmpty()) {
            // The log knows already what its listener is about to be told; this command certainly was not appended
            waiter.accept(Reply.of(Status.NOT_LEADER, "this controller has lost its leadership"));
            return;
        }
        state = after;
        appendedOffset = offset.getAsLong();
        undecidedBytes += bytes;
        park(reply, bytes, waiter);
    }

    private void park(Reply reply, long bytes, Consumer<Reply> waiter) {
        Reply placed = new Reply(reply.status(), reply.message(), appendedOffset, reply.answer());
        parked.add(new Parked(appendedOffset, placed, bytes, waiter));
    }

    /** Everything up to the offset is committed and in this node's image: the replies that rest on it are due. */
    public void replayedUpTo(long offset) {
        while (true) {
            @Nullable Parked first = parked.peek();
            if (first == null || first.offset() > offset) {
                return;
            }
            parked.remove();
            undecidedBytes -= first.bytes();
            first.waiter().accept(first.reply());
        }
    }

    private @Nullable Reply remembered(Submission submission) {
        @Nullable CommandSession session = state.sessions().get(submission.sessionId());
        if (session == null) {
            return null;
        }
        @Nullable ByteString answer = session.answers().get(submission.sequence());
        if (answer != null) {
            return new Reply(Status.DONE, "", -1, parse(answer));
        }
        return submission.sequence() < session.ackedBelow()
                ? Reply.of(Status.UNCERTAIN, "a late copy of a command that was answered before")
                : null;
    }

    private static Answer parse(ByteString answer) {
        try {
            return Answer.parseFrom(answer);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("a remembered answer cannot be read", e);
        }
    }

    private static ClusterState replayed(ClusterState state, LogRecord record) {
        StateBuilder builder = new StateBuilder(state, ChangeListener.NONE);
        builder.replay(record);
        return builder.build();
    }

    private static long size(List<LogRecord> batch) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        long bytes = 0;
        for (LogRecord record : batch) {
            bytes += LogRecordSerde.INSTANCE.recordSize(record, cache) + RECORD_OVERHEAD_BYTES;
        }
        return bytes;
    }

    /** Lengths and deltas around a record in a batch, at most. */
    private static final int RECORD_OVERHEAD_BYTES = 24;

    private static Status status(Reason reason) {
        return Status.valueOf(reason.name());
    }
}
