package io.catchment.controlplane.server;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.ImageListener;
import io.catchment.controlplane.LeaseListener;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.command.CommandCodec;
import io.catchment.controlplane.command.CommandRules;
import io.catchment.controlplane.command.Conditions;
import io.catchment.controlplane.command.Decision;
import io.catchment.controlplane.command.Observed;
import io.catchment.controlplane.command.Upkeep;
import io.catchment.controlplane.image.ImageStep;
import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.image.WholeImage;
import io.catchment.controlplane.lead.Leader;
import io.catchment.controlplane.lead.Liveness;
import io.catchment.controlplane.lead.Mover;
import io.catchment.controlplane.lead.Reply;
import io.catchment.controlplane.lead.Submission;
import io.catchment.controlplane.lead.Watch;
import io.catchment.controlplane.log.Leadership;
import io.catchment.controlplane.log.LogBatch;
import io.catchment.controlplane.log.LogListener;
import io.catchment.controlplane.log.LogReader;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.log.ReplicatedLog;
import io.catchment.controlplane.log.SnapshotReader;
import io.catchment.controlplane.proto.Answer;
import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import io.catchment.controlplane.proto.CommandResponse.Status;
import io.catchment.controlplane.proto.Heartbeat;
import io.catchment.controlplane.rpc.HeartbeatCodec;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node's control plane: replays the log into images, leads when it is told to, and sends its own commands to whoever leads.
 * Its state is owned by the control loop; the public methods are thread-safe and leave the work to it. Stages complete on the
 * loop, and listeners are called there: they must not block, and one that throws stops the node, since it missed a change.
 *
 * <p>Order within a step: the new image is visible, then listeners hear of it, then the commands that rest on it are answered.
 */
final class ControlPlaneNode implements ControlPlane, LogListener {
    private static final Logger LOG = LoggerFactory.getLogger(ControlPlaneNode.class);
    private static final int COMMANDS_UNDER_WAY_MAX = 4096;
    private static final int STEP_RECORDS_MAX = 10_000;
    private static final long UPKEEP_MS = 1000;
    /** While streams move, each batch waits for a look. */
    private static final long UPKEEP_MOVING_MS = 100;

    private static final long RETRY_MS = 50;
    private static final long WHOLE_IMAGE_KEPT_MS = 1000;

    private static final int LOOKS_PER_LEASE = 20;
    /** A silence of this part of a lease, of a node that nobody can connect to, is enough. */
    private static final int SUSPECT_PART = 8;
    /** Not to have run for this part of a lease is a pause. */
    private static final int PAUSE_PART = 4;

    private static final long WORK_LEASE_MS = 10_000;
    private static final long REPAIR_DELAY_MS = 10_000;
    private static final long LEVEL_EVERY_MS = 30_000;

    private final int nodeId;
    private final String clusterId;
    private final ControlLoop loop;
    private final ReplicatedLog log;
    private final RemoteController remote;
    private final Leader leader;
    private final CommandClient client;
    private final Snapshotter snapshotter;
    private final Liveness liveness;
    private final Watch watch;
    private final Mover mover;
    private final Heartbeats heartbeats;
    private final ControllerQuestions questions;
    private final long lookMs;
    private final Supplier<Conditions> conditions;
    private final List<ImageListener> listeners = new ArrayList<>();
    private final AtomicInteger commandsUnderWay = new AtomicInteger();
    private Leadership leadership = Leadership.UNKNOWN;
    /** The present image as a change from nothing, for a while. */
    private @Nullable ImageDelta whole;

    private volatile StateImage image;
    private volatile boolean closed;

    /**
     * @param snapshots one thread, for snapshots alone
     * @param sessionId of this process's commands: random
     */
    ControlPlaneNode(
            ControlPlaneConfig config,
            ControlLoop loop,
            ReplicatedLog log,
            RemoteController remote,
            ExecutorService snapshots,
            long sessionId,
            Supplier<Uuid> newTopicId) {
        nodeId = config.nodeId();
        clusterId = config.clusterId();
        this.loop = loop;
        this.log = log;
        this.remote = remote;
        conditions =
                () -> new Conditions(loop.wallClockMs(), newTopicId, config.replicas(), config.ackQuorum(), figures());
        leader = new Leader(log, conditions);
        liveness = new Liveness(config.leaseMs(), suspectMs(config), config.leaseMs() / PAUSE_PART);
        watch = new Watch(WORK_LEASE_MS, REPAIR_DELAY_MS);
        mover = new Mover(LEVEL_EVERY_MS);
        lookMs = Math.max(1, config.leaseMs() / LOOKS_PER_LEASE);
        heartbeats = new Heartbeats(loop, nodeId, config.heartbeatMs(), this::routeHeartbeat);
        client = new CommandClient(loop, this::route, sessionId, config.commandTimeoutMs(), RETRY_MS);
        questions = new ControllerQuestions(loop, () -> leadership, nodeId, clusterId, log, remote);
        snapshotter = new Snapshotter(log, snapshots, config.snapshotBytes(), config.snapshotIntervalMs());
        image = StateImage.empty(clusterId);
    }

    void start() {
        log.start(this);
        loop.schedule(this::upkeep, UPKEEP_MS);
        loop.schedule(this::look, lookMs);
    }

    /** Two heartbeats at least. */
    private static long suspectMs(ControlPlaneConfig config) {
        return Math.max(config.leaseMs() / SUSPECT_PART, 2 * config.heartbeatMs());
    }

    @Override
    public StateImage image() {
        return image;
    }

    @Override
    public <R> CompletionStage<R> submit(Command<R> command) {
        return underWay(future -> client.submit(command, future));
    }

    @Override
    public CompletionStage<Void> barrier() {
        return underWay(client::barrier);
    }

    @Override
    public void keepAlive(long nodeEpoch, Supplier<NodeLoad> load, LeaseListener listener) {
        loop.execute(() -> heartbeats.start(nodeEpoch, load, listener));
    }

    private <R> CompletionStage<R> underWay(Consumer<CompletableFuture<R>> start) {
        CompletableFuture<R> future = new CompletableFuture<>();
        if (closed || commandsUnderWay.incrementAndGet() > COMMANDS_UNDER_WAY_MAX) {
            future.completeExceptionally(new CommandException(
                    Reason.UNAVAILABLE,
                    closed ? "this node is closing" : "more than " + COMMANDS_UNDER_WAY_MAX + " commands under way"));
            if (!closed) {
                commandsUnderWay.decrementAndGet();
            }
            return future;
        }
        CompletableFuture<R> counted = future.whenComplete((answer, failure) -> commandsUnderWay.decrementAndGet());
        if (!loop.execute(() -> start.accept(future))) {
            future.completeExceptionally(new CommandException(Reason.UNAVAILABLE, "this node is closing"));
        }
        return counted;
    }

    @Override
    public void subscribe(ImageListener listener) {
        loop.execute(() -> {
            listeners.add(listener);
            listener.changed(wholeImage(), image);
        });
    }

    /** Many subscribe one after the other when a node begins, and a large image takes its time. */
    private ImageDelta wholeImage() {
        ImageDelta known = whole;
        if (known == null) {
            known = WholeImage.asDelta(image);
            whole = known;
            loop.schedule(() -> whole = null, WHOLE_IMAGE_KEPT_MS);
        }
        return known;
    }

    @Override
    public void unsubscribe(ImageListener listener) {
        loop.execute(() -> listeners.remove(listener));
    }

    /** A command from another node, or a barrier; answered when what it rests on is replayed here. */
    void handle(CommandRequest request, Consumer<CommandResponse> answer) {
        if (request.hasHeartbeat() && request.getClusterId().equals(clusterId)) {
            if (!loop.execute(() -> answer.accept(hear(request.getHeartbeat())))) {
                answer.accept(refusal(Status.UNAVAILABLE, "this node is closing"));
            }
            return;
        }
        Submission submission;
        try {
            submission = submission(request);
        } catch (RuntimeException e) {
            answer.accept(refusal(Status.INVALID, "the command cannot be read: " + e.getMessage()));
            return;
        }
        if (!loop.execute(() -> submitToLeader(submission, reply -> answer.accept(response(reply))))) {
            answer.accept(refusal(Status.UNAVAILABLE, "this node is closing"));
        }
    }

    private Submission submission(CommandRequest request) {
        if (!request.getClusterId().equals(clusterId)) {
            throw new IllegalArgumentException("this is cluster " + clusterId + ", not " + request.getClusterId());
        }
        return new Submission(
                request.getSessionId(),
                request.getSequence(),
                request.getAckedBelow(),
                request.hasBarrier() ? null : CommandCodec.read(request));
    }

    private static CommandResponse refusal(Status status, String message) {
        return CommandResponse.newBuilder()
                .setStatus(status)
                .setMessage(message)
                .setOffset(-1)
                .build();
    }

    // ---- what the log says, on the log's thread

    @Override
    public void committed(LogReader batches) {
        loop.execute(() -> replay(batches));
    }

    @Override
    public void snapshot(SnapshotReader snapshot) {
        loop.execute(() -> load(snapshot));
    }

    @Override
    public void leadership(Leadership now) {
        loop.execute(() -> follow(now));
    }

    // ---- on the loop

    private void replay(LogReader batches) {
        try (batches) {
            while (batches.hasNext()) {
                ImageStep step = ImageStep.after(image);
                long bytes = 0;
                while (batches.hasNext() && step.records() < STEP_RECORDS_MAX) {
                    LogBatch batch = batches.next();
                    leader.committedIn(batch.epoch());
                    step.replay(batch);
                    bytes += batch.sizeBytes();
                }
                publish(step.finish());
                snapshotter.replayed(image, bytes, loop.monotonicMs());
            }
        }
    }

    private void load(SnapshotReader snapshot) {
        try (snapshot) {
            leader.committedIn(snapshot.lastEpoch());
            ImageStep step = ImageStep.instead(image);
            long timestampMs = snapshot.lastTimestampMs();
            while (snapshot.hasNext()) {
                snapshot.next().records().forEach(step::replay);
            }
            step.at(snapshot.lastOffset(), snapshot.lastEpoch(), timestampMs);
            publish(step.finish());
        }
    }

    private void publish(ImageStep.Result result) {
        image = result.image();
        whole = null;
        if (result.changed()) {
            for (ImageListener listener : listeners) {
                listener.changed(result.delta(), image);
            }
        }
        leader.replayedUpTo(image.offset());
        client.imageAt(image.offset());
        heartbeats.imageAt(image.state());
    }

    private void follow(Leadership now) {
        leadership = now;
        image = image.withController(now.leaderId());
        if (now.is(nodeId)) {
            leader.activate(now.epoch(), image.state(), image.offset());
            liveness.begin(loop.monotonicMs());
            watch.begin();
            mover.begin(loop.monotonicMs(), leader.state());
            appendIfAny(Upkeep.beginning(leader.state(), conditions.get().newTopicId()));
        } else {
            leader.deactivate();
        }
        client.leadershipChanged();
        heartbeats.leadershipChanged();
    }

    /** Several times a lease: who has not been heard of is fenced. */
    private void look() {
        if (leader.active()) {
            long nowMs = loop.monotonicMs();
            Liveness.Look look = liveness.look(leader.state(), nowMs);
            if (look.paused()) {
                watch.begin();
            }
            for (NodeState node : look.silent()) {
                byItself("fencing node " + node.nodeId(), () -> fence(node));
            }
        }
        loop.schedule(this::look, lookMs);
    }

    private List<LogRecord> fence(NodeState node) {
        Command.FenceNode command = new Command.FenceNode(node.nodeId(), node.epoch());
        return CommandRules.decide(command, leader.state(), conditions.get())
                        instanceof Decision.Accepted<Command.Done> accepted
                ? accepted.records()
                : List.of();
    }

    /** A fault of ours in what the controller decides by itself must not take it down, and the next one after it: nothing is appended (C7). */
    private void byItself(String what, Supplier<List<LogRecord>> decision) {
        List<LogRecord> records;
        try {
            records = decision.get();
        } catch (RuntimeException e) {
            LOG.error("{} failed; it has no effect and is tried again", what, e);
            return;
        }
        appendIfAny(records);
    }

    /** A heartbeat of any node; answered by what is committed. */
    private CommandResponse hear(Heartbeat heartbeat) {
        if (!leader.active()) {
            return refusal(Status.NOT_LEADER, "this node is not the active controller");
        }
        NodeLoad load;
        try {
            load = HeartbeatCodec.load(heartbeat);
        } catch (IllegalArgumentException e) {
            return refusal(Status.INVALID, String.valueOf(e.getMessage()));
        }
        NodeState node = image.state().nodes().get(heartbeat.getNodeId());
        if (node != null && node.epoch() == heartbeat.getNodeEpoch()) {
            liveness.heard(heartbeat.getNodeId(), heartbeat.getNodeEpoch(), load, loop.monotonicMs());
        }
        return CommandResponse.newBuilder()
                .setStatus(Status.DONE)
                .setOffset(image.offset())
                .setAnswer(Answer.newBuilder()
                        .setStanding(Answer.Standing.newBuilder()
                                .setEpoch(node == null ? 0 : node.epoch())
                                .setFenced(node != null && node.fenced())))
                .build();
    }

    private Map<Integer, NodeLoad> figures() {
        return liveness.figures(leader.active() ? leader.state() : image.state());
    }

    private void upkeep() {
        if (leader.active()) {
            byItself("upkeep", this::due);
        }
        loop.schedule(this::upkeep, leader.active() && mover.isBusy() ? UPKEEP_MOVING_MS : UPKEEP_MS);
    }

    private List<LogRecord> due() {
        long nowMs = loop.monotonicMs();
        Observed observed = watch.look(leader.state(), figures(), nowMs);
        return Upkeep.due(leader.state(), conditions.get(), observed, state -> mover.next(state, figures(), nowMs));
    }

    private void appendIfAny(List<LogRecord> records) {
        if (!records.isEmpty()) {
            leader.append(records);
        }
    }

    private void route(Submission submission, Consumer<Reply> answer) {
        if (leadership.leaderId() == Leadership.NOBODY || leadership.is(nodeId)) {
            submitToLeader(submission, answer);
            return;
        }
        Optional<InetSocketAddress> address = log.address(leadership.leaderId());
        if (address.isEmpty()) {
            answer.accept(new Reply(
                    Status.UNAVAILABLE,
                    "the address of controller " + leadership.leaderId() + " is not known",
                    -1,
                    null));
            return;
        }
        remote.send(
                address.get(),
                request(submission),
                response -> loop.execute(() -> answer.accept(new Reply(
                        response.getStatus(),
                        response.getMessage(),
                        response.getOffset(),
                        response.hasAnswer() ? response.getAnswer() : null))));
    }

    @Override
    public CompletionStage<ByteBuffer> askController(ByteBuffer frame) {
        return questions.ask(frame);
    }

    private void routeHeartbeat(Heartbeat heartbeat, Consumer<CommandResponse> answer) {
        if (leadership.is(nodeId)) {
            answer.accept(hear(heartbeat));
            return;
        }
        Optional<InetSocketAddress> address = log.address(leadership.leaderId());
        if (leadership.leaderId() == Leadership.NOBODY || address.isEmpty()) {
            answer.accept(refusal(Status.UNAVAILABLE, "no active controller is known"));
            return;
        }
        CommandRequest request = CommandRequest.newBuilder()
                .setClusterId(clusterId)
                .setHeartbeat(heartbeat)
                .build();
        Leadership asked = leadership;
        remote.send(
                address.get(),
                request,
                response -> loop.execute(() -> answer.accept(response)),
                () -> log.leaderIsGone(asked));
    }

    private void submitToLeader(Submission submission, Consumer<Reply> answer) {
        leader.submit(submission, answer);
        // What rests on nothing new is due at once
        leader.replayedUpTo(image.offset());
    }

    private CommandRequest request(Submission submission) {
        CommandRequest.Builder request = CommandRequest.newBuilder()
                .setSessionId(submission.sessionId())
                .setSequence(submission.sequence())
                .setAckedBelow(submission.ackedBelow())
                .setClusterId(clusterId);
        Command<?> command = submission.command();
        if (command == null) {
            request.setBarrier(io.catchment.controlplane.proto.Barrier.getDefaultInstance());
        } else {
            CommandCodec.write(command, request);
        }
        return request.build();
    }

    private static CommandResponse response(Reply reply) {
        CommandResponse.Builder response = CommandResponse.newBuilder()
                .setStatus(reply.status())
                .setMessage(reply.message())
                .setOffset(reply.offset());
        if (reply.answer() != null) {
            response.setAnswer(reply.answer());
        }
        return response.build();
    }

    /** Ends commands under way, then the log, then the loop. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        loop.execute(() -> {
            client.close();
            heartbeats.close();
            leader.deactivate();
        });
        snapshotter.close();
        log.close();
        remote.close();
        loop.close();
    }
}
