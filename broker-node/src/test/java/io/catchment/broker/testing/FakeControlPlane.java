package io.catchment.broker.testing;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.ImageListener;
import io.catchment.controlplane.LeaseListener;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.metadata.PartitionRecord;
import org.apache.kafka.common.metadata.RemoveTopicRecord;
import org.apache.kafka.common.metadata.TopicRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataProvenance;
import org.jspecify.annotations.Nullable;

/**
 * A control plane in memory: applies the node, topic, configuration, producer-id and stream commands at once, in the caller's
 * thread (under its lock). Commands can be held back with {@link #pause} or failed with {@link #failNext}.
 */
public final class FakeControlPlane implements ControlPlane {
    private static final int PRODUCER_IDS_BLOCK = 1000;
    /** The upper half of all topic ids: what comes from one seed is to come again. */
    private static final long TOPIC_IDS = 0x7461_6b65_746f_7069L;

    private final List<ImageListener> listeners = new CopyOnWriteArrayList<>();
    private final List<Runnable> held = new ArrayList<>();
    private final List<Command<?>> submitted = new CopyOnWriteArrayList<>();
    private volatile FakeClusterImage image = new FakeClusterImage();
    private boolean paused;
    private boolean ownersHesitate;
    private @Nullable CommandException failure;
    private volatile @Nullable UnaryOperator<ByteBuffer> controller;
    private long nextStreamId = 1;
    private long nextTopicId = 1;
    private long nextProducerId;
    private long nextNodeEpoch = 1;

    /** Registers a broker with one endpoint per listener name, at ports 9000 + 100 × node + index. */
    public FakeControlPlane withNode(int nodeId, String... listenerNames) {
        List<Endpoint> endpoints = new ArrayList<>();
        for (String name : listenerNames) {
            endpoints.add(new Endpoint(name, "host-" + nodeId, 9000 + 100 * nodeId + endpoints.size()));
        }
        applyNow(new Command.RegisterNode(
                nodeId,
                "store-" + nodeId,
                endpoints,
                "zone-" + nodeId,
                List.of("broker", "wal", "controller"),
                Uuid.randomUuid()));
        return this;
    }

    /** Everything that was submitted, in order. */
    public List<Command<?>> submitted() {
        return submitted;
    }

    /** From now on commands wait until {@link #resume}. */
    public synchronized void pause() {
        paused = true;
    }

    public void resume() {
        List<Runnable> waiting;
        synchronized (this) {
            paused = false;
            waiting = List.copyOf(held);
            held.clear();
        }
        waiting.forEach(Runnable::run);
    }

    /** From now on new streams are not open until they are moved to an owner. */
    public synchronized void ownersHesitate() {
        ownersHesitate = true;
    }

    /** The next command fails so, without effect. */
    public synchronized void failNext(Reason reason) {
        failure = new CommandException(reason, "injected " + reason);
    }

    /** Applies the command though others are held back: somebody else's, through another node. */
    public synchronized void applyNow(Command<?> command) {
        apply(command);
    }

    public synchronized void fenceNode(int nodeId, boolean fenced) {
        change(next -> {
            NodeState node = next.node(nodeId).orElseThrow();
            next.nodes.put(
                    nodeId,
                    new NodeState(
                            node.nodeId(),
                            node.epoch(),
                            node.storeId(),
                            node.endpoints(),
                            node.zone(),
                            node.roles(),
                            node.incarnation(),
                            fenced));
            return new Changed().nodes();
        });
    }

    /** Another node becomes the owner of a partition, in the stream's next epoch. */
    public synchronized void moveStream(String topic, int partition, int owner) {
        changeStream(topic, partition, owner, 1);
    }

    /** Each of the topic's streams changes in nothing that clients are told of, as when ranges are published. */
    public synchronized void touchStreams(String topic) {
        List<Long> streams = image.topic(topic).orElseThrow().streams();
        for (int partition = 0; partition < streams.size(); partition++) {
            int owner = image.stream(streams.get(partition)).orElseThrow().ownerNodeId();
            changeStream(topic, partition, owner, 0);
        }
    }

    /** Another node becomes the owner in the stream's next epoch, which begins at the offset. */
    public synchronized void takeOver(String topic, int partition, int owner, long startOffset) {
        StreamState old = stream(topic, partition);
        int epoch = old.epoch() + 1;
        List<StreamState.EpochStart> starts = new ArrayList<>(old.epochStarts());
        starts.add(new StreamState.EpochStart(epoch, startOffset));
        replace(new StreamState(
                old.streamId(),
                old.topicId(),
                topic,
                partition,
                owner,
                image.node(owner).orElseThrow().epoch(),
                epoch,
                starts,
                old.logStartOffset(),
                old.catalog(),
                old.checkpoint()));
    }

    /** What lies below the offset is deleted. */
    public synchronized void trim(String topic, int partition, long logStartOffset) {
        StreamState old = stream(topic, partition);
        replace(new StreamState(
                old.streamId(),
                old.topicId(),
                topic,
                partition,
                old.ownerNodeId(),
                old.ownerNodeEpoch(),
                old.epoch(),
                old.epochStarts(),
                logStartOffset,
                old.catalog(),
                old.checkpoint()));
    }

    private void changeStream(String topic, int partition, int owner, int epochs) {
        change(next -> {
            long streamId = next.topic(topic).orElseThrow().streams().get(partition);
            StreamState old = next.stream(streamId).orElseThrow();
            next.streams.put(
                    streamId,
                    new StreamState(
                            streamId,
                            old.topicId(),
                            topic,
                            partition,
                            owner,
                            next.node(owner).orElseThrow().epoch(),
                            old.epoch() + epochs,
                            old.epochStarts().isEmpty()
                                    ? List.of(new StreamState.EpochStart(old.epoch() + epochs, 0))
                                    : old.epochStarts(),
                            old.logStartOffset(),
                            old.catalog(),
                            old.checkpoint()));
            Changed changed = new Changed();
            changed.streams.add(streamId);
            return changed;
        });
    }

    @Override
    public ClusterImage image() {
        return image;
    }

    @Override
    public void unsubscribe(ImageListener listener) {
        listeners.remove(listener);
    }

    @Override
    public void subscribe(ImageListener listener) {
        listeners.add(listener);
        ClusterImage present = image;
        listener.changed(
                new ImageDelta(true, Set.of(), Set.of(), Set.of(), true, true, new MetadataDelta.Builder().build()),
                present);
    }

    /** Nobody is fenced for silence here. */
    @Override
    public void keepAlive(long nodeEpoch, Supplier<NodeLoad> load, LeaseListener listener) {}

    @Override
    public CompletionStage<Void> barrier() {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public void close() {
        listeners.clear();
    }

    @Override
    public <R> CompletionStage<R> submit(Command<R> command) {
        submitted.add(command);
        CompletableFuture<R> answer = new CompletableFuture<>();
        Runnable step = () -> run(command, answer);
        synchronized (this) {
            if (paused) {
                held.add(step);
                return answer;
            }
        }
        step.run();
        return answer;
    }

    @SuppressWarnings("unchecked")
    private <R> void run(Command<R> command, CompletableFuture<R> answer) {
        try {
            R result;
            synchronized (this) {
                if (failure != null) {
                    CommandException injected = failure;
                    failure = null;
                    throw injected;
                }
                result = (R) apply(command);
            }
            answer.complete(result);
        } catch (CommandException e) {
            answer.completeExceptionally(e);
        }
    }

    private Object apply(Command<?> command) {
        if (command instanceof Command.RegisterNode register) {
            return register(register);
        } else if (command instanceof Command.CreateTopics create) {
            return create.topics().stream()
                    .map(topic -> create(topic, create.validateOnly()))
                    .toList();
        } else if (command instanceof Command.DeleteTopics delete) {
            return delete.topicIds().stream().map(this::delete).toList();
        } else if (command instanceof Command.CreatePartitions grow) {
            return grow(grow);
        } else if (command instanceof Command.AlterConfigs alter) {
            return alter(alter);
        } else if (command instanceof Command.OpenStreams open) {
            return open(open);
        } else if (command instanceof Command.MoveStreams move) {
            return move.moves().stream()
                    .map(each -> target(each, move.pinned()))
                    .toList();
        } else if (command instanceof Command.RemoveNode remove) {
            return remove(remove.nodeId());
        } else if (command instanceof Command.AllocateProducerIds) {
            Command.ProducerIdBlock block = new Command.ProducerIdBlock(nextProducerId, PRODUCER_IDS_BLOCK);
            nextProducerId += PRODUCER_IDS_BLOCK;
            return block;
        }
        throw new IllegalArgumentException("The fake does not know " + command);
    }

    private Command.ItemResult target(Command.Move move, boolean pinned) {
        String name = Long.toString(move.streamId());
        StreamState old = image.stream(move.streamId()).orElse(null);
        if (old == null) {
            return new Command.ItemResult(name, new Command.ItemError(Reason.NOT_FOUND, "No stream " + name));
        }
        int wanted = move.targetNodeId() == Command.Move.PREFERRED ? old.preferredNodeId() : move.targetNodeId();
        if (wanted >= 0 && image.node(wanted).filter(NodeState::isLive).isEmpty()) {
            return new Command.ItemResult(name, new Command.ItemError(Reason.INVALID, "Node " + wanted + " is down"));
        }
        int target = wanted == old.ownerNodeId() ? -1 : wanted;
        int preferred = wanted < 0 ? old.ownerNodeId() : wanted;
        boolean isPinned = move.targetNodeId() < 0 ? old.pinned() : pinned;
        replace(moved(old, old.ownerNodeId(), old.ownerNodeEpoch(), old.epoch(), preferred, isPinned, target));
        return new Command.ItemResult(name, null);
    }

    /** The owner does what it is asked: the target is the owner, open in the stream's next epoch. */
    public synchronized void handOver(String topic, int partition) {
        StreamState old = stream(topic, partition);
        long epoch = image.node(old.targetNodeId()).orElseThrow().epoch();
        replace(moved(old, old.targetNodeId(), epoch, old.epoch() + 1, old.preferredNodeId(), old.pinned(), -1));
    }

    /** The move is not to be any more. */
    public synchronized void clearTarget(String topic, int partition) {
        StreamState old = stream(topic, partition);
        replace(moved(
                old, old.ownerNodeId(), old.ownerNodeEpoch(), old.epoch(), old.preferredNodeId(), old.pinned(), -1));
    }

    /** As a takeover does: another owner, that has not opened the stream yet. */
    public synchronized void assignStream(String topic, int partition, int owner) {
        StreamState old = stream(topic, partition);
        replace(moved(old, owner, -1, old.epoch() + 1, old.preferredNodeId(), old.pinned(), -1));
    }

    public StreamState stream(String topic, int partition) {
        return image.stream(image.topic(topic).orElseThrow().streams().get(partition))
                .orElseThrow();
    }

    private void replace(StreamState stream) {
        change(next -> {
            next.streams.put(stream.streamId(), stream);
            Changed changed = new Changed();
            changed.streams.add(stream.streamId());
            return changed;
        });
    }

    private static StreamState moved(
            StreamState old, int owner, long ownerEpoch, int epoch, int preferred, boolean pinned, int target) {
        return new StreamState(
                old.streamId(),
                old.topicId(),
                old.topic(),
                old.partition(),
                owner,
                ownerEpoch,
                epoch,
                old.epochStarts(),
                old.logStartOffset(),
                old.manifests(),
                old.catalog(),
                old.checkpoint(),
                preferred,
                pinned,
                target,
                old.writers(),
                null,
                old.cleanedTo());
    }

    private Command.Done remove(int nodeId) {
        if (image.node(nodeId).filter(NodeState::isLive).isPresent()) {
            throw new CommandException(Reason.NOT_YET, "node " + nodeId + " cannot be removed: it is not fenced");
        }
        change(next -> {
            next.nodes.remove(nodeId);
            return new Changed().nodes();
        });
        return new Command.Done();
    }

    /** Answers questions to the controller; without it there is none. */
    public void controllerAnswers(UnaryOperator<ByteBuffer> answers) {
        controller = answers;
    }

    @Override
    public CompletionStage<ByteBuffer> askController(ByteBuffer frame) {
        UnaryOperator<ByteBuffer> present = controller;
        return present == null
                ? CompletableFuture.failedFuture(new CommandException(Reason.UNAVAILABLE, "no controller"))
                : CompletableFuture.completedFuture(present.apply(frame));
    }

    private Command.NodeEpoch register(Command.RegisterNode register) {
        long epoch = nextNodeEpoch++;
        change(next -> {
            next.nodes.put(
                    register.nodeId(),
                    new NodeState(
                            register.nodeId(),
                            epoch,
                            register.storeId(),
                            register.endpoints(),
                            register.zone(),
                            register.roles(),
                            register.incarnation(),
                            false));
            return new Changed().nodes();
        });
        return new Command.NodeEpoch(epoch);
    }

    private Command.CreatedTopic create(Command.CreateTopic topic, boolean validateOnly) {
        if (image.topic(topic.name()).isPresent()) {
            return new Command.CreatedTopic(
                    topic.name(),
                    Uuid.ZERO_UUID,
                    -1,
                    new Command.ItemError(Reason.ALREADY_EXISTS, "Topic '" + topic.name() + "' already exists."));
        }
        Uuid id = new Uuid(TOPIC_IDS, nextTopicId++);
        if (!validateOnly) {
            change(next -> {
                Changed changed = new Changed().topics();
                changed.records.add(new TopicRecord().setName(topic.name()).setTopicId(id));
                next.topics.put(topic.name(), new TopicState(id, topic.name(), List.of()));
                addStreams(next, topic.name(), topic.partitions(), topic.owners(), changed);
                if (!topic.configs().isEmpty()) {
                    setConfigs(next, changed.configs(), (byte) 2, topic.name(), topic.configs());
                }
                return changed;
            });
        }
        return new Command.CreatedTopic(topic.name(), validateOnly ? Uuid.ZERO_UUID : id, topic.partitions(), null);
    }

    private void addStreams(FakeClusterImage next, String name, int total, List<Integer> owners, Changed changed) {
        TopicState topic = next.topic(name).orElseThrow();
        List<Long> streams = new ArrayList<>(topic.streams());
        List<Integer> nodes = List.copyOf(next.nodes.keySet());
        int first = streams.size();
        for (int partition = first; partition < total; partition++) {
            long streamId = nextStreamId++;
            int owner = owners.isEmpty() ? nodes.get(partition % nodes.size()) : owners.get(partition - first);
            streams.add(streamId);
            next.streams.put(
                    streamId,
                    new StreamState(
                            streamId,
                            topic.topicId(),
                            name,
                            partition,
                            owner,
                            ownersHesitate ? -1 : next.node(owner).orElseThrow().epoch(),
                            0,
                            ownersHesitate ? List.of() : List.of(new StreamState.EpochStart(0, 0)),
                            0,
                            List.of(),
                            null));
            changed.streams.add(streamId);
            changed.records.add(new PartitionRecord()
                    .setTopicId(topic.topicId())
                    .setPartitionId(partition)
                    .setLeader(owner)
                    .setReplicas(List.of(owner))
                    .setIsr(List.of(owner)));
        }
        next.topics.put(name, new TopicState(topic.topicId(), name, streams));
    }

    private Command.ItemResult delete(Uuid topicId) {
        TopicState topic = image.topic(topicId).orElse(null);
        if (topic == null) {
            return new Command.ItemResult(
                    topicId.toString(),
                    new Command.ItemError(Reason.NOT_FOUND, "No topic has the id " + topicId + "."));
        }
        change(next -> {
            next.topics.remove(topic.name());
            next.configs.remove(FakeClusterImage.configKey((byte) 2, topic.name()));
            topic.streams().forEach(next.streams::remove);
            Changed changed = new Changed().topics().configs();
            changed.records.add(new RemoveTopicRecord().setTopicId(topicId));
            changed.streams.addAll(topic.streams());
            return changed;
        });
        return new Command.ItemResult(topic.name(), null);
    }

    private Command.Done grow(Command.CreatePartitions grow) {
        TopicState topic = image.topic(grow.topic())
                .orElseThrow(() -> new CommandException(Reason.NOT_FOUND, "No topic " + grow.topic()));
        if (grow.totalCount() <= topic.streams().size()) {
            throw new CommandException(Reason.INVALID, "Not more than before");
        }
        if (!grow.validateOnly()) {
            change(next -> {
                Changed changed = new Changed().topics();
                addStreams(next, grow.topic(), grow.totalCount(), grow.owners(), changed);
                return changed;
            });
        }
        return new Command.Done();
    }

    private Map<Long, Integer> open(Command.OpenStreams open) {
        Map<Long, Integer> epochs = new HashMap<>();
        for (Command.Claim claim : open.claims()) {
            StreamState stream = image.stream(claim.streamId()).orElse(null);
            if (stream != null && stream.ownerNodeId() == open.nodeId()) {
                changeStream(stream.topic(), stream.partition(), open.nodeId(), 1);
                epochs.put(claim.streamId(), stream.epoch() + 1);
            }
        }
        return epochs;
    }

    private Command.Done alter(Command.AlterConfigs alter) {
        if (alter.before() != null
                && !alter.before().equals(image.configs(alter.resourceType(), alter.resourceName()))) {
            throw new CommandException(Reason.NOT_YET, "Altered meanwhile: " + alter.resourceName());
        }
        change(next -> {
            Changed changed = new Changed().configs();
            setConfigs(next, changed, alter.resourceType(), alter.resourceName(), alter.changes());
            return changed;
        });
        return new Command.Done();
    }

    private static void setConfigs(
            FakeClusterImage next, Changed changed, byte type, String resource, Map<String, @Nullable String> changes) {
        String key = FakeClusterImage.configKey(type, resource);
        Map<String, String> values = new HashMap<>(next.configs.getOrDefault(key, Map.of()));
        changes.forEach((name, value) -> {
            if (value == null) {
                values.remove(name);
            } else {
                values.put(name, value);
            }
            changed.records.add(new ConfigRecord()
                    .setResourceType(type)
                    .setResourceName(resource)
                    .setName(name)
                    .setValue(value));
        });
        next.configs.put(key, Map.copyOf(values));
    }

    private void change(Function<FakeClusterImage, Changed> step) {
        FakeClusterImage next = image.copy();
        Changed changed = step.apply(next);
        MetadataDelta delta =
                new MetadataDelta.Builder().setImage(next.metadata).build();
        changed.records.forEach(delta::replay);
        next.metadata = delta.apply(new MetadataProvenance(next.offset, 1, 0, true));
        image = next;
        ImageDelta imageDelta = new ImageDelta(
                changed.nodes, changed.streams, Set.of(), Set.of(), changed.topics, changed.configs, delta);
        listeners.forEach(listener -> listener.changed(imageDelta, next));
    }

    /** What a step touched. */
    private static final class Changed {
        private boolean nodes;
        private boolean topics;
        private boolean configs;
        private final Set<Long> streams = new HashSet<>();
        private final List<ApiMessage> records = new ArrayList<>();

        Changed nodes() {
            nodes = true;
            return this;
        }

        Changed topics() {
            topics = true;
            return this;
        }

        Changed configs() {
            configs = true;
            return this;
        }
    }
}
