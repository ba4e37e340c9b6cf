package io.catchment.controlplane.server;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.command.AnswerCodec;
import io.catchment.controlplane.lead.Reply;
import io.catchment.controlplane.lead.Submission;
import io.catchment.controlplane.proto.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * This node's commands under way: each is sent to the active controller, sent again with the same id while its fate is unknown, and
 * answered once what the answer rests on is in this node's image. Owned by the control loop.
 *
 * <p>A command lives until its deadline. Then it ends as UNCERTAIN if any attempt may have reached a controller, else as UNAVAILABLE.
 */
final class CommandClient {
    private static final long SWEEP_MS = 100;

    private final ControlLoop loop;
    private final Route route;
    private final long sessionId;
    private final long timeoutMs;
    private final long retryMs;
    private final TreeMap<Long, Pending<?>> underWay = new TreeMap<>();
    private long nextSequence = 1;
    private long imageOffset = -1;
    private boolean closed;
    private boolean sweeping;
    private @Nullable CompletableFuture<Command.Done> runningBarrier;
    private final List<CompletableFuture<Void>> nextBarrier = new ArrayList<>();

    CommandClient(ControlLoop loop, Route route, long sessionId, long timeoutMs, long retryMs) {
        this.loop = loop;
        this.route = route;
        this.sessionId = sessionId;
        this.timeoutMs = timeoutMs;
        this.retryMs = retryMs;
    }

    <R> void submit(Command<R> command, CompletableFuture<R> future) {
        start(new Pending<>(
                nextSequence++, command, future, answer -> AnswerCodec.read(command, answer), deadlineMs()));
    }

    private long deadlineMs() {
        return loop.monotonicMs() + timeoutMs;
    }

    /** All who ask while a barrier is under way share the next one. */
    void barrier(CompletableFuture<Void> future) {
        nextBarrier.add(future);
        if (runningBarrier == null) {
            runBarrier();
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // what follows is done in the callback
    private void runBarrier() {
        List<CompletableFuture<Void>> sharers = List.copyOf(nextBarrier);
        nextBarrier.clear();
        CompletableFuture<Command.Done> running = new CompletableFuture<>();
        runningBarrier = running;
        running.whenComplete((done, failure) -> {
            runningBarrier = null;
            sharers.forEach(sharer -> finish(sharer, failure));
            if (!nextBarrier.isEmpty()) {
                runBarrier();
            }
        });
        start(new Pending<>(nextSequence++, null, running, answer -> new Command.Done(), deadlineMs()));
    }

    private static void finish(CompletableFuture<Void> future, @Nullable Throwable failure) {
        if (failure == null) {
            future.complete(null);
        } else {
            future.completeExceptionally(failure);
        }
    }

    /** Somebody else leads, or somebody again: what waits for that goes on, what was sent elsewhere is sent again. */
    void leadershipChanged() {
        for (Pending<?> pending : List.copyOf(underWay.values())) {
            if (pending.settled == null) {
                pending.mayHaveHappened |= pending.outstanding;
                attempt(pending);
            }
        }
    }

    void imageAt(long offset) {
        imageOffset = offset;
        List<Pending<?>> due = new ArrayList<>();
        for (Pending<?> pending : underWay.values()) {
            if (pending.settled != null && pending.settled.offset() <= offset) {
                due.add(pending);
            }
        }
        due.forEach(this::complete);
    }

    void close() {
        closed = true;
        for (Pending<?> pending : List.copyOf(underWay.values())) {
            giveUp(pending, "this node is closing");
        }
    }

    private void start(Pending<?> pending) {
        if (closed) {
            pending.future.completeExceptionally(new CommandException(Reason.UNAVAILABLE, "this node is closing"));
            return;
        }
        underWay.put(pending.sequence, pending);
        if (!sweeping) {
            sweeping = true;
            loop.schedule(this::sweep, SWEEP_MS);
        }
        attempt(pending);
    }

    /** Ends what is past its deadline; runs only while something is under way. Deadlines are in the order of sequence. */
    private void sweep() {
        long now = loop.monotonicMs();
        while (!underWay.isEmpty() && underWay.firstEntry().getValue().deadlineMs <= now) {
            giveUp(underWay.firstEntry().getValue(), "no answer within " + timeoutMs + " ms");
        }
        sweeping = !underWay.isEmpty();
        if (sweeping) {
            loop.schedule(this::sweep, SWEEP_MS);
        }
    }

    private void attempt(Pending<?> pending) {
        int attempt = ++pending.attempts;
        pending.outstanding = true;
        Submission submission = new Submission(sessionId, pending.sequence, underWay.firstKey(), pending.command);
        route.send(submission, reply -> answered(pending, attempt, reply));
    }

    private void answered(Pending<?> pending, int attempt, Reply reply) {
        if (pending.future.isDone() || pending.settled != null) {
            return;
        }
        switch (reply.status()) {
            case DONE, NOT_FOUND, ALREADY_EXISTS, INVALID, FENCED, NOT_YET -> {
                pending.settled = reply;
                if (reply.offset() <= imageOffset) {
                    complete(pending);
                }
            }
            case UNCERTAIN, UNAVAILABLE, NOT_LEADER, UNRECOGNIZED -> {
                if (attempt == pending.attempts) {
                    pending.outstanding = false;
                    pending.lastObstacle = reply.message();
                    pending.mayHaveHappened |= isUncertain(reply);
                    loop.schedule(() -> retry(pending, attempt), retryMs);
                }
            }
        }
    }

    private static boolean isUncertain(Reply reply) {
        return switch (reply.status()) {
            case UNAVAILABLE, NOT_LEADER -> false;
            default -> true;
        };
    }

    private void retry(Pending<?> pending, int after) {
        if (pending.attempts == after && underWay.containsKey(pending.sequence) && pending.settled == null) {
            attempt(pending);
        }
    }

    private void complete(Pending<?> pending) {
        underWay.remove(pending.sequence);
        pending.complete();
    }

    private void giveUp(Pending<?> pending, String why) {
        underWay.remove(pending.sequence);
        boolean uncertain = pending.mayHaveHappened || pending.outstanding || pending.settled != null;
        pending.future.completeExceptionally(new CommandException(
                uncertain ? Reason.UNCERTAIN : Reason.UNAVAILABLE,
                pending.what() + ": " + why
                        + (pending.lastObstacle.isEmpty() ? "" : "; last: " + pending.lastObstacle)));
    }

    private interface Reader<R> {
        R read(Answer answer);
    }

    private static final class Pending<R> {
        private final long sequence;
        private final @Nullable Command<?> command;
        private final CompletableFuture<R> future;
        private final Reader<R> reader;
        private final long deadlineMs;
        private int attempts;
        private boolean outstanding;
        private boolean mayHaveHappened;
        private String lastObstacle = "";
        private @Nullable Reply settled;

        Pending(
                long sequence,
                @Nullable Command<?> command,
                CompletableFuture<R> future,
                Reader<R> reader,
                long deadlineMs) {
            this.sequence = sequence;
            this.command = command;
            this.future = future;
            this.reader = reader;
            this.deadlineMs = deadlineMs;
        }

        String what() {
            return command == null ? "barrier" : command.getClass().getSimpleName();
        }

        void complete() {
            Reply reply = settled;
            if (reply == null) {
                throw new IllegalStateException("a command is completed without a reply");
            }
            Answer answer = reply.answer();
            switch (reply.status()) {
                case DONE -> future.complete(reader.read(answer == null ? Answer.getDefaultInstance() : answer));
                default ->
                    future.completeExceptionally(
                            new CommandException(Reason.valueOf(reply.status().name()), reply.message()));
            }
        }
    }
}
