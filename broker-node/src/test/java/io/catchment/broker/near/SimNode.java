package io.catchment.broker.near;

import io.catchment.broker.fetch.FetchHandler;
import io.catchment.broker.fetch.FetchQuota;
import io.catchment.broker.fetch.FetchSettings;
import io.catchment.broker.network.ByteBufRecords;
import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.read.BatchRun;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.testing.FakeDirectory;
import io.catchment.broker.testing.OpenRequest;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.StreamState;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;

/**
 * A node that owns some partitions and reads others for its zone: the real handler of fetches and the real {@link NearPartitions}, over a log, copies and an
 * image that the simulation has. It may be killed and started again, freeze as a whole, or have a disk that hangs.
 *
 * <p>It is worse than a real one in one thing: as soon as it is made an owner, and before it has the partition open, it tells other nodes in the name of
 * the former epoch where its own copy ends, with all that was never acknowledged. Nothing but the epoch tells them not to believe it.
 */
final class SimNode {
    final int nodeId;
    final String zone;

    private final NearWorld world;
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final FakeDirectory directory = new FakeDirectory();
    private final FakeDirectory candidates = new FakeDirectory();
    private final Map<Integer, SimOwner> owned = new HashMap<>();
    private final long[] copyEnds = new long[NearWorld.PARTITIONS];
    private final ArrayDeque<Runnable> unread = new ArrayDeque<>();
    private List<Exchange> exchanges = new ArrayList<>();
    private long missedMs;

    ClusterImage image;
    long imageDueMs;
    boolean alive = true;
    boolean frozen;
    boolean diskHangs;
    /** Copies hear of nothing, though the disk is well. */
    boolean copiesLag;

    final boolean hasCopies;
    private SimLoop loop;
    private SimLoop looking;
    private NearPartitions near;
    private FetchHandler forConsumers;
    private FetchHandler forNodes;

    private record Exchange(OpenRequest request, Consumer<@Nullable FetchResponse> back) {}

    SimNode(NearWorld world, int nodeId, ClusterImage image, boolean hasCopies) {
        this.world = world;
        this.nodeId = nodeId;
        this.zone = "zone-" + nodeId;
        this.image = image;
        this.hasCopies = hasCopies;
        channel.freezeTime();
        begin(1);
    }

    private void begin(long nodeEpoch) {
        loop = new SimLoop(world.time, () -> frozen);
        looking = new SimLoop(world.time, () -> frozen || diskHangs);
        near = new NearPartitions(
                nodeId,
                nodeEpoch,
                zone,
                () -> image,
                node -> Optional.of(new Node(node.nodeId(), "host", 1)),
                this::visibleEnd,
                new Questions(),
                loop,
                looking,
                NearMetrics.NONE,
                world.random.split());
        near.start();
        StreamReader reads = new Reads();
        forConsumers = handler(directory, reads);
        forNodes = handler(new Followable(), reads);
    }

    private FetchHandler handler(PartitionDirectory partitions, StreamReader reads) {
        return new FetchHandler(
                partitions, reads, () -> image, Time.SYSTEM, FetchSettings.defaults(), FetchQuota.NONE, near);
    }

    /** What other nodes see. */
    private final class Followable implements PartitionDirectory {
        @Override
        public @Nullable PartitionView find(String topic, int partition) {
            PartitionView candidate = candidates.find(topic, partition);
            return candidate == null ? directory.find(topic, partition) : candidate;
        }

        @Override
        public @Nullable PartitionView find(Uuid topicId, int partition) {
            PartitionView candidate = candidates.find(topicId, partition);
            return candidate == null ? directory.find(topicId, partition) : candidate;
        }
    }

    // ---- time

    void pass(long ms) {
        if (frozen) {
            missedMs += ms;
            return;
        }
        channel.advanceTimeBy(ms + missedMs, TimeUnit.MILLISECONDS);
        missedMs = 0;
        channel.runScheduledPendingTasks();
        settle();
    }

    /** Whether anything was answered. */
    boolean settle() {
        if (frozen) {
            return false;
        }
        channel.runPendingTasks();
        List<Exchange> waiting = exchanges;
        exchanges = new ArrayList<>();
        boolean answered = false;
        for (Exchange each : waiting) {
            if (each.request.isAnswered()) {
                answered = true;
                answer(each);
            } else {
                exchanges.add(each);
            }
        }
        return answered;
    }

    private void answer(Exchange exchange) {
        Throwable failure = exchange.request.failure();
        if (failure != null) {
            throw new AssertionError("node " + nodeId + " fails a request: " + failure.getMessage(), failure);
        }
        FetchResponse response = (FetchResponse) exchange.request.response();
        if (response != null) {
            boolean follows = ((FetchRequest) exchange.request.body()).isFromFollower();
            response.data().responses().forEach(topic -> topic.partitions().forEach(partition -> {
                if (!follows) {
                    check(partition);
                }
                if (partition.records() instanceof ByteBufRecords records) {
                    byte[] bytes = new byte[records.payload().readableBytes()];
                    records.payload().getBytes(records.payload().readerIndex(), bytes);
                    records.release();
                    partition.setRecords(MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)));
                }
            }));
        }
        exchange.back.accept(response);
    }

    private void check(PartitionData answer) {
        SimLog log = world.logs.get(answer.partitionIndex());
        if (answer.errorCode() == Errors.NONE.code() && answer.highWatermark() > log.acknowledged) {
            throw new AssertionError("node " + nodeId + " answers a high watermark of " + answer.highWatermark()
                    + " of partition " + log.partition + " of which " + log.acknowledged + " is acknowledged");
        }
    }

    // ---- requests

    /** @param back told once, null when the connection is gone; never if this node freezes for good */
    OpenRequest receive(FetchRequest body, String connection, Consumer<@Nullable FetchResponse> back) {
        OpenRequest request = new OpenRequest(body, channel.eventLoop(), connection);
        if (frozen) {
            unread.add(() -> handle(request, back));
        } else {
            handle(request, back);
        }
        return request;
    }

    private void handle(OpenRequest request, Consumer<@Nullable FetchResponse> back) {
        exchanges.add(new Exchange(request, back));
        boolean follows = ((FetchRequest) request.body()).isFromFollower();
        (follows ? forNodes : forConsumers).handle(request);
    }

    /** The connection is gone. */
    void disconnect(OpenRequest request) {
        if (alive) {
            request.disconnect();
        }
    }

    // ---- what it owns

    /** The control plane's news. */
    void learn(ImageDelta delta, ClusterImage newImage) {
        if (frozen) {
            unread.add(() -> learn(delta, newImage));
            return;
        }
        image = newImage;
        if (alive) {
            near.changed(delta, newImage);
            followImage();
        }
    }

    private void followImage() {
        for (SimLog log : world.logs) {
            StreamState stream = image.stream(log.streamId).orElseThrow();
            SimOwner present = owned.get(log.partition);
            if (present != null && present.leaderEpoch != stream.epoch()) {
                owned.remove(log.partition);
                directory.close(present);
                present.stopServing();
            }
            if (stream.ownerNodeId() == nodeId && !owned.containsKey(log.partition)) {
                int epoch = stream.epoch();
                loop.schedule(() -> open(log, epoch), world.random.nextInt(200));
            }
        }
    }

    private void open(SimLog log, int epoch) {
        if (log.epoch != epoch || log.owner != nodeId || owned.containsKey(log.partition)) {
            return;
        }
        SimOwner opened = new SimOwner(log, world.topicId, epoch, log.acknowledged);
        owned.put(log.partition, opened);
        directory.open(opened);
        log.open = true;
        PartitionView candidate = candidates.find(log.topic, log.partition);
        if (candidate instanceof SimOwner early) {
            candidates.close(early);
            if (world.mutation == NearWorld.Mutation.HIGH_WATERMARK_OF_BEFORE_THE_FENCE) {
                candidates.open(new SimOwner(log, world.topicId, epoch, early.highWatermark()));
            }
        }
    }

    /** It is to own the partition, and has a copy that ends there. */
    void isChosen(SimLog log, int formerEpoch, long copyEnd) {
        PartitionView former = candidates.find(log.topic, log.partition);
        if (former != null) {
            candidates.close(former);
        }
        if (alive) {
            candidates.open(new SimOwner(log, world.topicId, formerEpoch, copyEnd));
        }
    }

    void isNotChosenAnyMore(SimLog log) {
        PartitionView former = candidates.find(log.topic, log.partition);
        if (former != null) {
            candidates.close(former);
        }
    }

    boolean serves(SimLog log) {
        SimOwner present = owned.get(log.partition);
        return alive && !frozen && present != null && present.leaderEpoch == log.epoch;
    }

    void acknowledged(SimLog log) {
        SimOwner present = owned.get(log.partition);
        if (present != null && present.leaderEpoch == log.epoch) {
            present.highWatermark = log.acknowledged;
            present.announce();
        }
    }

    // ---- its copies

    private OptionalLong visibleEnd(PartitionView partition) {
        if (!hasCopies) {
            return OptionalLong.empty();
        }
        return OptionalLong.of(copyEnds[partition.topicPartition().partition()]);
    }

    void copied(SimLog log, long end) {
        if (alive && !diskHangs && !copiesLag) {
            copyEnds[log.partition] = Math.max(copyEnds[log.partition], end);
        }
    }

    int looksWaiting() {
        return looking.held();
    }

    /** As the real one answers: from this disk, else from where it is; late, or not at all. */
    private final class Reads implements StreamReader {
        @Override
        public CompletionStage<BatchRun> read(long streamId, long fromOffset, long limitOffset, int bytesMax) {
            SimLog log = world.log(streamId);
            if (limitOffset > log.acknowledged) {
                throw new AssertionError("node " + nodeId + " reads partition " + log.partition + " up to "
                        + limitOffset + " of which " + log.acknowledged + " is acknowledged");
            }
            CompletableFuture<BatchRun> answer = new CompletableFuture<>();
            SimLoop readers = loop;
            long delayMs = copyEnds[log.partition] > fromOffset && !diskHangs
                    ? world.random.nextInt(3)
                    : 1 + world.random.nextInt(30) + (diskHangs ? 250 : 0);
            boolean fails = world.random.nextDouble() < world.readTrouble;
            if (fails && world.random.nextBoolean()) {
                world.saw("read that does not come back");
                return answer;
            }
            readers.schedule(
                    () -> {
                        if (fails) {
                            answer.completeExceptionally(new IOException("injected"));
                        } else if (!answer.isDone()) {
                            answer.complete(world.read(log, fromOffset, limitOffset, bytesMax));
                        }
                    },
                    delayMs);
            return answer;
        }
    }

    // ---- its questions to owners

    private final class Questions implements OwnerQuestions {
        private final String connection = "node-" + nodeId + "-" + world.nextConnection();

        @Override
        public CompletionStage<FetchResponse> ask(Node owner, FetchRequest.Builder request) {
            CompletableFuture<FetchResponse> answer = new CompletableFuture<>();
            short version = ApiKeys.FETCH.latestVersion();
            FetchRequest built = request.build(version);
            world.mutate(built);
            world.ask(
                    world.node(owner.id()),
                    FetchRequest.parse(built.serialize(), version),
                    connection,
                    NearWorld.NODES_WAIT_MS,
                    response -> {
                        if (response == null) {
                            answer.completeExceptionally(new IOException("no answer"));
                        } else {
                            world.mutate(response);
                            answer.complete(response);
                        }
                    });
            return answer;
        }

        @Override
        public void close() {}
    }

    // ---- faults

    void freeze() {
        frozen = true;
    }

    void thaw() {
        frozen = false;
        while (!unread.isEmpty()) {
            unread.remove().run();
        }
        goOn();
    }

    void goOn() {
        loop.goOn();
        looking.goOn();
    }

    void kill() {
        thaw();
        alive = false;
        near.close();
        loop.close();
        looking.close();
        exchanges.forEach(each -> each.request.disconnect());
        channel.runPendingTasks();
        exchanges.forEach(each -> {
            each.request.releaseRecords();
            each.back.accept(null);
        });
        exchanges = new ArrayList<>();
        owned.values().forEach(each -> {
            directory.close(each);
            each.stopServing();
        });
        owned.clear();
        world.logs.forEach(this::isNotChosenAnyMore);
    }

    void start(long nodeEpoch) {
        alive = true;
        begin(nodeEpoch);
        followImage();
    }

    void end() {
        if (alive) {
            kill();
        }
        channel.close();
        channel.runPendingTasks();
    }
}
