package io.catchment.controlplane.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TaskState;
import io.catchment.controlplane.image.ImageStep;
import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.log.LogBatch;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.CommandRequest;
import io.catchment.controlplane.proto.CommandResponse;
import io.catchment.controlplane.state.StateInvariants;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Whole nodes on simulated time and consensus, from one seed: random commands, crashes and restarts, lost leaderships, late news,
 * lost requests and answers, snapshots and cleaning. In the end all nodes' states are equal, and equal to the log replayed from
 * its start; invariants hold at each step; no command took effect twice, and none that was answered was lost.
 */
class SimulationTest {
    /** The same ones in each build, so that it judges the change and not the luck; more begin at a random one. */
    private static final int SEEDS = 60;

    private static final int NODES = 3;
    private static final int STEPS = 150;

    @Test
    void allNodesAgreeWhateverHappens() {
        Long given = Long.getLong("simulation.seed");
        int seeds = given == null ? Integer.getInteger("simulation.seeds", SEEDS) : 1;
        long first = given != null ? given : seeds == SEEDS ? 1 : new Random().nextLong() >>> 16;
        int moves = 0;
        int releases = 0;
        for (long seed = first; seed < first + seeds; seed++) {
            try {
                ManifestCheck manifests = new Cluster(seed).run();
                moves += manifests.moves();
                releases += manifests.releases();
            } catch (Throwable e) {
                throw new AssertionError(
                        "seed " + seed
                                + "; replay: mvn -o -pl control-plane test -Dtest=SimulationTest -Dsimulation.seed="
                                + seed,
                        e);
            }
        }
        System.out.println("From seed " + first + " on: " + moves + " manifests, " + releases + " releases");
        if (seeds >= SEEDS) {
            assertThat(moves)
                    .as("lest manifests are right because there are none")
                    .isPositive();
            assertThat(releases).isPositive();
        }
    }

    private static final class Cluster {
        private final Random random;
        private final SimulatedTime time;
        private final SimulatedRaft raft;
        private final RandomCommands commands;
        private final Map<Integer, Incarnation> live = new TreeMap<>();
        private final List<Object> answers = new ArrayList<>();
        private int uncertain;
        private int submitted;
        private int settled;
        private boolean peaceful;
        private boolean agentsRest;
        /** Though peaceful, agents create extents. */
        private boolean loaded;

        Cluster(long seed) {
            random = new Random(seed);
            time = new SimulatedTime(random);
            raft = new SimulatedRaft(time, random);
            commands = new RandomCommands(random);
        }

        ManifestCheck run() {
            for (int id = 1; id <= NODES; id++) {
                start(id);
            }
            for (int step = 0; step < STEPS; step++) {
                disturb();
                submitSome();
                time.runFor(random.nextInt(60));
            }
            peaceful = true;
            for (int id = 1; id <= NODES; id++) {
                if (!live.containsKey(id)) {
                    start(id);
                }
            }
            time.runFor(20_000);
            checkEverythingIsInGoodHands();
            checkThatNobodyIsFencedForTheControllersTroubles();
            checkThatTheDeadAreTakenOver();
            checkThatADrainedNodeIsLeft();
            agentsRest = true;
            assertThat(time.runUntil(() -> settled == submitted, 60_000))
                    .as("all commands end")
                    .isTrue();
            time.runFor(10_000);
            checkAgreement();
            checkAtMostOnce();
            return LogCheck.check(raft.committedLog());
        }

        /** All processes live and talk: each is registered, and no extent waits for a recoverer, no stream for an owner. */
        private void checkEverythingIsInGoodHands() {
            StateImage image = Objects.requireNonNull(live.get(1)).node.image();
            for (Incarnation process : live.values()) {
                assertThat(process.agent.epoch)
                        .as("process %d is registered", process.id)
                        .isPositive();
                assertThat(image.state().isCurrent(process.id, process.agent.epoch))
                        .isTrue();
            }
            for (ExtentState extent : image.extents()) {
                assertThat(extent.phase() == ExtentState.Phase.RECOVERING && !isWithGhosts(image, extent))
                        .as("%s is recovered by now", extent)
                        .isFalse();
            }
            for (StreamState stream : image.streams()) {
                NodeState owner = image.state().nodes().get(stream.ownerNodeId());
                assertThat(owner != null && owner.isLive())
                        .as("owner of %s", stream)
                        .isTrue();
            }
        }

        /** No takeover storm: elections, and pauses of the active controller, fence nobody who heartbeats. */
        private void checkThatNobodyIsFencedForTheControllersTroubles() {
            Map<Integer, Long> epochs = new TreeMap<>();
            live.forEach((id, process) -> epochs.put(id, process.agent.epoch));
            for (int i = 0; i < 6; i++) {
                if (random.nextBoolean()) {
                    raft.elect();
                } else {
                    Incarnation leader = live.get(raft.leader());
                    if (leader != null) {
                        leader.loop.pause(1_000);
                    }
                }
                time.runFor(1_500 + random.nextInt(1_500));
            }
            time.runFor(5_000);
            live.forEach((id, process) -> assertThat(process.agent.epoch)
                    .as("process %d goes on in its epoch", id)
                    .isEqualTo(epochs.get(id)));
            Incarnation leader = live.get(raft.leader());
            if (leader != null) {
                leader.loop.pause(10_000);
                time.runFor(15_000);
                live.forEach((id, process) -> assertThat(process.agent.epoch)
                        .as("process %d outlives a pause of controller %d", id, leader.id)
                        .isEqualTo(epochs.get(id)));
            }
        }

        /** One process dies for good, the controller perhaps: fenced within its lease after the election, its streams served. */
        private void checkThatTheDeadAreTakenOver() {
            int dead = 1 + random.nextInt(NODES);
            crash(dead);
            Incarnation other = live.values().iterator().next();
            assertThat(time.runUntil(
                            () -> other.node.image().node(dead).orElseThrow().fenced(), 2_000 + 500))
                    .as("process %d is fenced after its lease", dead)
                    .isTrue();
            assertThat(time.runUntil(() -> allServed(other.node.image()), 8_000))
                    .as("all streams are served again after the death of %d", dead)
                    .isTrue();
            start(dead);
            time.runFor(3_000);
        }

        /**
         * While extents are created one process is drained: what others have open leaves its store. In the middle of it one of them dies,
         * and perhaps the drained one itself, which is not drained any more when it is back.
         */
        private void checkThatADrainedNodeIsLeft() {
            for (int id = 1; id <= NODES; id++) {
                takesEffect(new Command.DrainNode(id, false));
            }
            loaded = true;
            time.runFor(5_000);
            int going = 1 + random.nextInt(NODES);
            takesEffect(new Command.DrainNode(going, true));
            if (random.nextBoolean()) {
                time.runFor(random.nextInt(300));
                int dead = 1 + random.nextInt(NODES);
                crash(dead);
                time.runFor(random.nextInt(3_000));
                start(dead);
                if (dead == going) {
                    assertThat(time.runUntil(() -> isPlacedOn(going), 20_000))
                            .as("extents are placed on process %d again", going)
                            .isTrue();
                    takesEffect(new Command.DrainNode(going, true));
                }
            }
            assertThat(time.runUntil(() -> isLeft(going), 20_000))
                    .as("the others leave the store of process %d, which is drained", going)
                    .isTrue();
            for (int i = 0; i < 20; i++) {
                time.runFor(100);
                assertThat(isLeft(going)).as("and do not come back to it").isTrue();
            }
            loaded = false;
        }

        /** By whoever; again until it takes effect. */
        private void takesEffect(Command<?> command) {
            for (int attempt = 0; attempt < 10; attempt++) {
                List<Incarnation> processes = List.copyOf(live.values());
                Incarnation process = processes.get(random.nextInt(processes.size()));
                var done = count(process, process.node.submit(command)).toCompletableFuture();
                time.runUntil(done::isDone, 10_000);
                if (done.isDone() && !done.isCompletedExceptionally()) {
                    return;
                }
            }
            throw new AssertionError(command + " does not take effect");
        }

        private boolean isPlacedOn(int id) {
            Incarnation process = Objects.requireNonNull(live.get(id));
            return process.node.image().state().isCurrent(id, process.agent.epoch)
                    && openOfOthers(id).findAny().isPresent();
        }

        private boolean isLeft(int id) {
            boolean draining = Objects.requireNonNull(live.get(id))
                    .node
                    .image()
                    .node(id)
                    .filter(NodeState::draining)
                    .isPresent();
            return draining && openOfOthers(id).findAny().isEmpty();
        }

        /** What the other processes write to this one's present store, as this one sees it. */
        private Stream<ExtentState> openOfOthers(int id) {
            Incarnation process = Objects.requireNonNull(live.get(id));
            StateImage image = process.node.image();
            return image.extents().stream()
                    .filter(extent -> extent.phase() == ExtentState.Phase.OPEN
                            && extent.writerNodeId() != id
                            && live.containsKey(extent.writerNodeId())
                            && extent.ensemble().contains(process.agent.store()));
        }

        private boolean allServed(StateImage image) {
            Set<StreamState.Writer> hopeless = new HashSet<>();
            for (ExtentState extent : image.extents()) {
                if (extent.phase() == ExtentState.Phase.RECOVERING && isWithGhosts(image, extent)) {
                    hopeless.add(new StreamState.Writer(extent.writerNodeId(), extent.writerEpoch()));
                }
            }
            return image.streams().stream()
                    .allMatch(stream -> image.state().isCurrent(stream.ownerNodeId(), stream.ownerNodeEpoch())
                            || isGhost(image, stream.ownerNodeId())
                            || stream.writers().stream().anyMatch(hopeless::contains));
        }

        /** Random commands register nodes that no process stands behind. */
        private boolean isGhost(StateImage image, int nodeId) {
            NodeState node = image.state().nodes().get(nodeId);
            return node != null && node.isLive() && !live.containsKey(nodeId);
        }

        /** A ghost recovers it, or nobody can: its stores are gone. */
        private boolean isWithGhosts(StateImage image, ExtentState extent) {
            ExtentState.Recoverer recoverer = extent.recoverer();
            return recoverer == null
                    ? extent.ensemble().stream()
                            .noneMatch(store -> image.state().isLive(store) && live.containsKey(store.nodeId()))
                    : isGhost(image, recoverer.nodeId());
        }

        private void disturb() {
            switch (random.nextInt(40)) {
                case 0, 1, 2 -> raft.elect();
                case 3, 4 -> crash(1 + random.nextInt(NODES));
                case 5, 6, 7, 8 -> {
                    int id = 1 + random.nextInt(NODES);
                    if (!live.containsKey(id)) {
                        start(id);
                    }
                }
                case 9 -> raft.clean();
                case 10, 11 -> {
                    Incarnation process = live.get(1 + random.nextInt(NODES));
                    if (process != null) {
                        process.loop.pause(random.nextInt(6_000));
                    }
                }
                default -> {
                    // A quiet step
                }
            }
        }

        private void submitSome() {
            List<Incarnation> processes = List.copyOf(live.values());
            for (int i = random.nextInt(4); i > 0 && !processes.isEmpty(); i--) {
                Incarnation process = processes.get(random.nextInt(processes.size()));
                if (random.nextInt(20) == 0) {
                    var unused = count(process, process.node.barrier().thenApply(nothing -> "barrier"));
                } else {
                    var unused = count(process, process.node.submit(commands.next(process.node.image())));
                }
            }
        }

        private <R> java.util.concurrent.CompletionStage<R> count(
                Incarnation process, java.util.concurrent.CompletionStage<R> stage) {
            submitted++;
            process.underWay++;
            return stage.whenComplete((answer, failure) -> {
                process.underWay--;
                settled++;
                if (failure == null) {
                    answers.add(answer);
                } else {
                    // The node counts its commands in a stage of its own, which wraps the failure
                    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
                    assertThat(cause).isInstanceOf(CommandException.class);
                    if (((CommandException) cause).reason() == Reason.UNCERTAIN) {
                        uncertain++;
                    }
                }
            });
        }

        private void start(int id) {
            live.put(id, new Incarnation(id));
        }

        /** What was under way in the process nobody will ever hear of. */
        private void crash(int id) {
            Incarnation process = live.remove(id);
            if (process != null) {
                raft.crash(id);
                process.loop.close();
                settled += process.underWay;
                uncertain += process.underWay;
            }
        }

        private void checkAgreement() {
            ImageStep replay = ImageStep.after(StateImage.empty("sim"));
            raft.committedLog().forEach(replay::replay);
            StateImage expected = replay.finish().image();
            for (Incarnation process : live.values()) {
                StateImage image = process.node.image();
                assertThat(image.offset()).isEqualTo(expected.offset());
                assertThat(image.state()).isEqualTo(expected.state());
                assertThat(image.metadata().topics())
                        .isEqualTo(expected.metadata().topics());
                assertThat(image.metadata().configs())
                        .isEqualTo(expected.metadata().configs());
                process.checkMirror();
            }
        }

        /** Ids that were answered are distinct; and the log holds no effect that nobody can have asked for. */
        private void checkAtMostOnce() {
            Set<Long> blocks = new HashSet<>();
            Set<Long> extents = new HashSet<>();
            Set<Long> objects = new HashSet<>();
            Set<Uuid> topics = new HashSet<>();
            int created = 0;
            for (Object answer : answers) {
                if (answer instanceof Command.ProducerIdBlock block) {
                    assertThat(blocks.add(block.firstId())).isTrue();
                } else if (answer instanceof io.catchment.controlplane.ExtentState extent) {
                    assertThat(extents.add(extent.extentId())).isTrue();
                } else if (answer instanceof List<?> list) {
                    for (Object item : list) {
                        if (item instanceof Long object) {
                            assertThat(objects.add(object)).isTrue();
                        } else if (item instanceof Command.CreatedTopic topic
                                && topic.error() == null
                                && !topic.topicId().equals(Uuid.ZERO_UUID)) {
                            assertThat(topics.add(topic.topicId())).isTrue();
                            created++;
                        }
                    }
                }
            }
            StateImage image = live.get(1) == null
                    ? StateImage.empty("sim")
                    : Objects.requireNonNull(live.get(1)).node.image();
            assertThat(blocks.size()).isBetween((int) (image.state().nextProducerId() / 1000) - uncertain, (int)
                    (image.state().nextProducerId() / 1000));
            assertThat(extents.size())
                    .isBetween(
                            (int) image.state().nextExtentId() - 1 - uncertain,
                            (int) image.state().nextExtentId() - 1);
            Set<Uuid> createdInLog = new HashSet<>();
            for (LogBatch batch : raft.committedLog()) {
                for (LogRecord record : batch.records()) {
                    if (record instanceof LogRecord.Kafka kafka
                            && kafka.message().message()
                                    instanceof org.apache.kafka.common.metadata.TopicRecord topic) {
                        createdInLog.add(topic.topicId());
                    }
                }
            }
            assertThat(createdInLog).containsAll(topics);
            assertThat(createdInLog.size()).isBetween(created, created + uncertain);
        }

        /** One run of a node, with a listener that keeps its own copy from deltas alone. */
        private final class Incarnation {
            private final int id;
            private final SimulatedTime.Loop loop;
            private final ControlPlaneNode node;
            private final Agent agent;
            private final Map<Long, StreamState> mirror = new HashMap<>();
            private @Nullable ClusterImage heard;
            private int underWay;

            Incarnation(int id) {
                this.id = id;
                loop = time.new Loop();
                ControlPlaneConfig config = ControlPlaneConfig.singleController(
                                id, "sim", java.nio.file.Path.of("unused"), Set.of("controller"), "node", 1)
                        .withReplicas(2, 1)
                        .withCommandTimeoutMs(5_000)
                        .withSnapshots(random.nextBoolean() ? 3_000 : 50_000, 1_000_000, 1);
                node = new ControlPlaneNode(
                        config,
                        loop,
                        raft.open(id),
                        new LossyNetwork(),
                        new InlineExecutor(),
                        random.nextLong(),
                        () -> new Uuid(random.nextLong(), random.nextLong()));
                node.start();
                if (random.nextBoolean()) {
                    node.subscribe(this::changed);
                } else {
                    loop.schedule(() -> node.subscribe(this::changed), random.nextInt(3000));
                }
                agent = new Agent(this);
                agent.register();
                agent.work();
            }

            private void changed(ImageDelta delta, ClusterImage image) {
                StateImage now = (StateImage) image;
                assertThat(now.offset()).isGreaterThanOrEqualTo(heard == null ? -1 : heard.offset());
                StateInvariants.check(now.state(), now.metadata());
                for (long stream : delta.streams()) {
                    now.stream(stream).ifPresentOrElse(found -> mirror.put(stream, found), () -> mirror.remove(stream));
                }
                heard = image;
            }

            void checkMirror() {
                if (heard != null) {
                    assertThat(mirror).isEqualTo(Map.copyOf(node.image().state().streams()));
                }
            }
        }

        /** The broker's part of a process: what a node does with the state, on its loop. */
        private final class Agent {
            private static final long WORK_MS = 150;

            private final Incarnation process;
            private final int id;
            private final String storeId;
            private long epoch = -1;
            private boolean busy;

            Agent(Incarnation process) {
                this.process = process;
                id = process.id;
                storeId = "disk-" + id + "-" + random.nextInt(3);
            }

            void register() {
                epoch = -1;
                Command.RegisterNode command = new Command.RegisterNode(
                        id,
                        storeId,
                        List.of(new io.catchment.controlplane.Endpoint("PLAINTEXT", "host", 1)),
                        "zone-" + id,
                        List.of("broker", "wal"),
                        new Uuid(random.nextLong(), random.nextLong()),
                        true);
                var unused = count(process, process.node.submit(command)).whenComplete((registered, failure) -> {
                    if (failure == null) {
                        epoch = registered.epoch();
                        process.node.keepAlive(
                                epoch,
                                () -> NodeLoad.IDLE,
                                over -> process.loop.execute(() -> {
                                    assertThat(over).isEqualTo(epoch);
                                    register();
                                }));
                    } else if (!process.loop.isEnded()) {
                        process.loop.schedule(this::register, 200);
                    }
                });
            }

            /** One thing at a time, in each turn the first that is due. */
            void work() {
                if (epoch >= 0 && !busy && !agentsRest) {
                    Command<?> due = due(process.node.image());
                    if (due != null) {
                        busy = true;
                        var unused = count(process, process.node.submit(due))
                                .whenComplete((answer, failure) -> busy = false);
                    }
                }
                process.loop.schedule(this::work, WORK_MS);
            }

            private @Nullable Command<?> due(StateImage image) {
                for (ExtentState extent : sortedExtents(image)) {
                    ExtentState.Recoverer recoverer = extent.recoverer();
                    if (recoverer != null && recoverer.nodeId() == id && recoverer.nodeEpoch() == epoch) {
                        return new Command.SealExtent(
                                extent.extentId(), extent.epoch(), random.nextInt(5), List.of(store()));
                    }
                }
                for (TaskState task : image.tasks()) {
                    if (task.nodeId() == id && task.nodeEpoch() == epoch && random.nextBoolean()) {
                        return task.kind() == TaskState.Kind.FLUSH
                                ? new Command.PublishFlush(id, epoch, task.extentId(), -1, 0, List.of(), List.of())
                                : new Command.AddHolder(id, epoch, task.extentId(), store());
                    }
                }
                List<Command.Claim> claims = new ArrayList<>();
                List<Command.Resignation> resignations = new ArrayList<>();
                Set<StreamState.Writer> recovering = image.writersUnderRecovery();
                for (StreamState stream : image.streams()) {
                    if (stream.ownerNodeId() != id) {
                        continue;
                    }
                    if (stream.ownerNodeEpoch() != epoch) {
                        if (stream.writers().stream().noneMatch(recovering::contains)) {
                            claims.add(
                                    new Command.Claim(stream.streamId(), RandomCommands.endOf(stream), stream.epoch()));
                        }
                    } else if (stream.targetNodeId() >= 0) {
                        resignations.add(new Command.Resignation(
                                stream.streamId(), RandomCommands.endOf(stream) + random.nextInt(2), 0, 0, 0));
                    }
                }
                if (!claims.isEmpty()) {
                    return new Command.OpenStreams(id, epoch, claims);
                }
                if (!resignations.isEmpty()) {
                    return new Command.ResignStreams(id, epoch, resignations);
                }
                Command<?> elsewhere = elsewhere(image);
                if (elsewhere != null) {
                    return elsewhere;
                }
                return random.nextInt(loaded ? 5 : 20) == 0 && (loaded || !peaceful)
                        ? new Command.CreateExtent(id, epoch, random.nextInt(3))
                        : null;
            }

            /** What it writes to a store that takes no more goes on in another extent, which is created first. */
            private @Nullable Command<?> elsewhere(StateImage image) {
                boolean others = image.nodes().stream().anyMatch(node -> node.takesMore() && node.has("wal"));
                List<ExtentState> mine = sortedExtents(image).stream()
                        .filter(extent -> extent.phase() == ExtentState.Phase.OPEN
                                && extent.writerNodeId() == id
                                && extent.writerEpoch() == epoch)
                        .toList();
                for (ExtentState extent : mine) {
                    if (others && isMisplaced(image, extent)) {
                        boolean next = mine.stream()
                                .anyMatch(each -> each.lane() == extent.lane() && !isMisplaced(image, each));
                        return next
                                ? new Command.SealExtent(extent.extentId(), epoch, 5, extent.ensemble())
                                : new Command.CreateExtent(id, epoch, extent.lane());
                    }
                }
                return null;
            }

            private boolean isMisplaced(StateImage image, ExtentState extent) {
                return extent.ensemble().stream()
                        .filter(store -> store.nodeId() != id)
                        .anyMatch(store -> image.node(store.nodeId())
                                .filter(NodeState::takesMore)
                                .isEmpty());
            }

            private ExtentState.Store store() {
                return new ExtentState.Store(id, storeId);
            }

            private List<ExtentState> sortedExtents(StateImage image) {
                return image.extents().stream()
                        .sorted(java.util.Comparator.comparingLong(ExtentState::extentId))
                        .toList();
            }
        }

        /** Requests and answers between nodes: late, sometimes lost (which the sender learns as uncertain). */
        private final class LossyNetwork implements RemoteController {
            @Override
            public void send(
                    InetSocketAddress controller,
                    CommandRequest request,
                    Consumer<CommandResponse> answer,
                    Runnable refused) {
                send(controller, request, answer);
            }

            @Override
            public void send(InetSocketAddress controller, CommandRequest request, Consumer<CommandResponse> answer) {
                boolean lost = !peaceful && random.nextInt(10) == 0;
                boolean answerLost = !peaceful && random.nextInt(10) == 0;
                time.soon(peaceful ? 5 : 200, () -> {
                    Incarnation to = live.get(controller.getPort());
                    if (lost || to == null) {
                        fail(answer, lost ? CommandResponse.Status.UNCERTAIN : CommandResponse.Status.UNAVAILABLE);
                        return;
                    }
                    to.node.handle(
                            request,
                            response -> time.soon(5, () -> {
                                if (answerLost) {
                                    fail(answer, CommandResponse.Status.UNCERTAIN);
                                } else {
                                    answer.accept(response);
                                }
                            }));
                });
            }

            private void fail(Consumer<CommandResponse> answer, CommandResponse.Status status) {
                answer.accept(CommandResponse.newBuilder()
                        .setStatus(status)
                        .setMessage("simulated")
                        .build());
            }

            @Override
            public void close() {
                // Nothing is held
            }
        }
    }
}
