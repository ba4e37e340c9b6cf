package io.catchment.broker.near;

import io.catchment.broker.read.BatchRun;
import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.ManualLoop;
import io.catchment.broker.testing.OpenRequest;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.NodeState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.jspecify.annotations.Nullable;

/**
 * Three nodes in three zones, two partitions, two readers: one history from one seed. First with faults, then without, in which the readers must
 * get everything, from nodes of their zones. Owned by the simulation's thread.
 */
final class NearWorld {
    static final int PARTITIONS = 2;
    static final long NODES_WAIT_MS = 5_000;
    private static final int NODES = 3;
    private static final String TOPIC = "readings";
    private static final int STEPS = 1_500;
    private static final int WELL_STEP_MS = 10;
    /** A node that does not answer, and a read that does not come back, cost seconds each; a sent-back reader is not sent again for 10 s. */
    private static final int CAUGHT_UP_MS = 60_000;

    private static final int WELL_MS = 40_000;
    private static final int UNACKNOWLEDGED_MAX = 100;

    /** What is broken on purpose. */
    enum Mutation {
        NONE,
        /** Near nodes do not say in which epoch they ask. */
        EPOCH_IGNORED,
        /** The next owner tells near nodes where its copy ended before the fence. */
        HIGH_WATERMARK_OF_BEFORE_THE_FENCE,
        /** Near nodes take what is written for what is acknowledged. */
        HIGH_WATERMARK_IS_LOG_END,
        /** Near nodes hear of nothing new. */
        NEWS_KEPT_BACK,
        /** A read leaves out what it should begin with. */
        COPY_WITH_A_HOLE,
        /** A copy has what was cut off. */
        COPY_NOT_CUT
    }

    final SplittableRandom random;
    final Mutation mutation;
    final ManualLoop time = new ManualLoop();
    final FakeControlPlane control = new FakeControlPlane();
    final List<SimLog> logs = new ArrayList<>();
    final Uuid topicId;
    final Map<String, Integer> seen = new TreeMap<>();
    private final List<SimNode> nodes = new ArrayList<>();
    private final List<SimReader> readers = new ArrayList<>();
    private int connections;
    private long answers;

    private double lossOfMessages;
    private int delayMsMax = 3;
    private int imageDelayMsMax = 10;
    double readTrouble;

    NearWorld(long seed, Mutation mutation) {
        this.random = new SplittableRandom(seed);
        this.mutation = mutation;
        for (int node = 1; node <= NODES; node++) {
            control.withNode(node, "PLAINTEXT");
        }
        List<Integer> owners = List.of(1 + random.nextInt(NODES), 1 + random.nextInt(NODES));
        control.submit(new Command.CreateTopics(
                List.of(new Command.CreateTopic(TOPIC, PARTITIONS, (short) 1, Map.of(), owners)), false));
        topicId = control.image().topic(TOPIC).orElseThrow().topicId();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            long streamId = control.image().topic(TOPIC).orElseThrow().streams().get(partition);
            logs.add(new SimLog(TOPIC, partition, streamId, owners.get(partition)));
        }
        for (int node = 1; node <= NODES; node++) {
            nodes.add(new SimNode(this, node, control.image(), random.nextInt(4) > 0));
        }
        control.subscribe((delta, image) -> nodes.forEach(node -> tell(node, delta, image)));
        for (int reader = 0; reader < 2; reader++) {
            readers.add(new SimReader(this, "zone-" + (1 + random.nextInt(NODES)), 1_000 + random.nextInt(8_000)));
        }
    }

    SimNode node(int nodeId) {
        return nodes.get(nodeId - 1);
    }

    SimLog log(long streamId) {
        return logs.stream().filter(log -> log.streamId == streamId).findFirst().orElseThrow();
    }

    int nextConnection() {
        return connections++;
    }

    void saw(String what) {
        seen.merge(what, 1, Integer::sum);
    }

    /** Differs when anything went otherwise. */
    long fingerprint() {
        return answers;
    }

    // ---- the history

    void run() {
        readers.forEach(SimReader::start);
        for (int step = 0; step < STEPS; step++) {
            if (random.nextInt(3) > 0) {
                act();
            }
            pass(random.nextInt(60) == 0 ? random.nextInt(1_500) : 1 + random.nextInt(8));
        }
        heal();
        catchUp();
        beWell();
        catchUp();
        nodes.forEach(SimNode::end);
        for (SimLog log : logs) {
            if (log.unreleased() > 0) {
                throw new AssertionError(
                        log.unreleased() + " buffers of partition " + log.partition + " are not released");
            }
        }
    }

    private void pass(long ms) {
        // In bits: what is asked for in it is answered in it.
        for (long left = ms; left > 0; left -= Math.min(left, WELL_STEP_MS)) {
            long bit = Math.min(left, WELL_STEP_MS);
            time.pass(bit);
            nodes.forEach(node -> node.pass(bit));
            boolean again = true;
            while (again) {
                time.settle();
                again = false;
                for (SimNode node : nodes) {
                    again |= node.settle();
                }
            }
        }
    }

    private void act() {
        SimNode node = nodes.get(random.nextInt(NODES));
        SimLog log = logs.get(random.nextInt(PARTITIONS));
        switch (random.nextInt(60)) {
            case 0, 1 -> freeze(node);
            case 2, 3, 4 -> thaw(node);
            case 5 -> kill(node);
            case 6, 7, 8 -> restart(node);
            case 9, 10, 11 -> changeOwner(log);
            case 12 -> control.fenceNode(node.nodeId, true);
            case 13, 14 -> control.fenceNode(node.nodeId, !node.alive);
            case 15 -> hangDisk(node);
            case 16 -> releaseDisk(node);
            case 17 -> node.copiesLag = random.nextBoolean();
            case 18 -> lossOfMessages = random.nextInt(3) / 10.0;
            case 19 -> delayMsMax = 1 + random.nextInt(1 << random.nextInt(11));
            case 20 -> imageDelayMsMax = 1 + random.nextInt(1 << random.nextInt(12));
            case 21 -> readTrouble = random.nextInt(3) / 8.0;
            case 22 -> trim(log);
            case 23, 24 -> log.compact(log.start + random.nextLong(log.acknowledged - log.start + 1));
            default -> {
                if (random.nextInt(5) < 3) {
                    append(log);
                } else {
                    acknowledge(log);
                }
            }
        }
    }

    private void append(SimLog log) {
        if (log.open && node(log.owner).serves(log) && log.end - log.acknowledged < UNACKNOWLEDGED_MAX) {
            log.append(1 + random.nextInt(4));
        }
    }

    private void acknowledge(SimLog log) {
        if (log.open && node(log.owner).serves(log)) {
            log.acknowledge(1 + random.nextInt(4));
            node(log.owner).acknowledged(log);
            copy(log);
        }
    }

    private void copy(SimLog log) {
        long end = log.acknowledged;
        nodes.forEach(node -> time.schedule(() -> node.copied(log, end), random.nextInt(8)));
    }

    private void changeOwner(SimLog log) {
        List<SimNode> live = nodes.stream().filter(node -> node.alive).toList();
        if (live.isEmpty()) {
            return;
        }
        SimNode next = live.get(random.nextInt(live.size()));
        int former = log.owner;
        int formerEpoch = log.epoch;
        long before = log.changeOwner(next.nodeId, random.nextInt(3));
        saw(before > log.end ? "owner changed, log cut" : "owner changed");
        nodes.forEach(node -> node.isNotChosenAnyMore(log));
        if (former != next.nodeId && before > log.end) {
            next.isChosen(log, formerEpoch, before);
        }
        control.takeOver(TOPIC, log.partition, next.nodeId, log.end);
        copy(log);
    }

    private void trim(SimLog log) {
        long length = log.acknowledged - log.start;
        log.trim(log.start + random.nextLong((random.nextInt(3) == 0 ? length : length / 3) + 1));
        control.trim(TOPIC, log.partition, log.start);
    }

    // ---- faults

    private void freeze(SimNode node) {
        if (node.alive && nodes.stream().noneMatch(each -> each.frozen)) {
            saw("node frozen");
            node.freeze();
        }
    }

    private static void thaw(SimNode node) {
        if (node.frozen) {
            node.thaw();
        }
    }

    private void kill(SimNode node) {
        if (node.alive && nodes.stream().allMatch(each -> each.alive)) {
            saw("node killed");
            node.kill();
            control.fenceNode(node.nodeId, true);
            logs.stream().filter(log -> log.owner == node.nodeId).forEach(this::changeOwner);
        }
    }

    private void restart(SimNode node) {
        if (!node.alive) {
            control.withNode(node.nodeId, "PLAINTEXT");
            node.start(control.image().node(node.nodeId).map(NodeState::epoch).orElseThrow());
        }
    }

    private void hangDisk(SimNode node) {
        saw("disk hangs");
        node.diskHangs = true;
    }

    private void releaseDisk(SimNode node) {
        if (node.diskHangs) {
            seen.merge("looks that waited for a disk, most", node.looksWaiting(), Integer::max);
            if (node.looksWaiting() > PARTITIONS) {
                throw new AssertionError(node.looksWaiting() + " looks wait for the disk of node " + node.nodeId);
            }
            node.diskHangs = false;
            node.goOn();
        }
    }

    private void tell(SimNode node, ImageDelta delta, ClusterImage image) {
        long due = Math.max(node.imageDueMs, time.wallClockMs() + random.nextInt(imageDelayMsMax));
        node.imageDueMs = due;
        time.schedule(() -> node.learn(delta, image), due - time.wallClockMs());
    }

    @Nullable
    SimNode anyAnswering() {
        List<SimNode> answering =
                nodes.stream().filter(node -> node.alive && !node.frozen).toList();
        return answering.isEmpty() ? null : answering.get(random.nextInt(answering.size()));
    }

    // ---- the network

    long delayMs() {
        return delayMsMax <= 1 ? 1 : random.nextInt(delayMsMax);
    }

    /** One question and its answer; ends once. */
    private final class Question {
        private final SimNode to;
        private final Consumer<@Nullable FetchResponse> answered;
        private @Nullable OpenRequest request;
        private boolean ended;

        Question(SimNode to, Consumer<@Nullable FetchResponse> answered) {
            this.to = to;
            this.answered = answered;
        }

        void deliver(FetchRequest body, String connection, boolean answerIsLost) {
            if (!to.alive) {
                time.schedule(() -> end(null), delayMs());
                return;
            }
            request = to.receive(body, connection, response -> {
                if (response == null || !answerIsLost) {
                    time.schedule(() -> end(response), delayMs());
                }
            });
        }

        void end(@Nullable FetchResponse response) {
            if (ended) {
                return;
            }
            ended = true;
            OpenRequest sent = request;
            if (response == null && sent != null) {
                time.schedule(() -> to.disconnect(sent), delayMs());
            }
            if (response != null) {
                answers = answers * 31
                        + time.wallClockMs()
                        + response.data().responses().size();
            }
            answered.accept(response);
        }
    }

    /** @param answered null: none came in time, or the connection was lost */
    void ask(
            SimNode to,
            FetchRequest body,
            String connection,
            long timeoutMs,
            Consumer<@Nullable FetchResponse> answered) {
        Question question = new Question(to, answered);
        boolean lost = random.nextDouble() < lossOfMessages;
        boolean answerIsLost = random.nextDouble() < lossOfMessages;
        boolean noticed = (lost || answerIsLost) && random.nextBoolean();
        time.schedule(() -> question.end(null), noticed ? 1 + random.nextInt(100) : timeoutMs);
        if (!lost) {
            time.schedule(() -> question.deliver(body, connection, answerIsLost), delayMs());
        } else {
            saw("message lost");
        }
    }

    // ---- broken on purpose

    void mutate(FetchRequest question) {
        if (mutation == Mutation.EPOCH_IGNORED) {
            question.data().topics().forEach(topic -> topic.partitions()
                    .forEach(partition -> partition.setCurrentLeaderEpoch(-1)));
        }
    }

    void mutate(FetchResponse answer) {
        if (mutation != Mutation.HIGH_WATERMARK_IS_LOG_END && mutation != Mutation.NEWS_KEPT_BACK) {
            return;
        }
        answer.data().responses().forEach(topic -> topic.partitions().forEach(partition -> {
            if (partition.errorCode() == Errors.NONE.code()) {
                partition.setHighWatermark(
                        mutation == Mutation.NEWS_KEPT_BACK
                                ? Math.min(partition.highWatermark(), 30)
                                : logs.get(partition.partitionIndex()).end);
            }
        }));
    }

    BatchRun read(SimLog log, long from, long limit, int bytesMax) {
        if (mutation == Mutation.COPY_WITH_A_HOLE && from + 10 < limit && random.nextInt(20) == 0) {
            return log.read(from + 5, limit, bytesMax);
        }
        return log.read(from, limit, bytesMax, mutation == Mutation.COPY_NOT_CUT);
    }

    // ---- the end

    private void heal() {
        lossOfMessages = 0;
        delayMsMax = 1;
        imageDelayMsMax = 1;
        readTrouble = 0;
        for (SimNode node : nodes) {
            thaw(node);
            restart(node);
            releaseDisk(node);
            node.copiesLag = false;
            control.fenceNode(node.nodeId, false);
        }
    }

    private void catchUp() {
        for (int ms = 0; ms < CAUGHT_UP_MS; ms += WELL_STEP_MS) {
            if (logs.stream().allMatch(log -> log.open) && readers.stream().allMatch(SimReader::hasAll)) {
                return;
            }
            pass(WELL_STEP_MS);
        }
        throw new AssertionError("not everything is read " + CAUGHT_UP_MS + " ms after the last fault: " + readers);
    }

    private void beWell() {
        readers.forEach(SimReader::countAnew);
        for (int ms = 0; ms < WELL_MS; ms += WELL_STEP_MS) {
            if (ms % 200 == 0) {
                for (SimLog log : logs) {
                    append(log);
                    acknowledge(log);
                }
            }
            pass(WELL_STEP_MS);
        }
        for (SimReader reader : readers) {
            String elsewhere = reader.readElsewhere();
            if (elsewhere != null) {
                throw new AssertionError(elsewhere);
            }
        }
    }
}
