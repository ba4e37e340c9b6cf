package io.catchment.broker.near;

import io.catchment.broker.leader.Leader;
import io.catchment.broker.loop.SerialLoop;
import io.catchment.broker.loop.SerialThread;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.peer.PeerRequests;
import io.catchment.broker.read.StreamExtents;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import io.catchment.wal.Lane;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;

/**
 * The streams of owners in other zones that somebody reads here. One is followed from its first reader on until it had none for a while, or its
 * owner changes. Look-ups are lock-free, from any thread; all else belongs to one thread, the given loop.
 *
 * <p>What an owner says is shown to readers when this node's own copy of the WAL shows it too, a few milliseconds later
 * ({@link OwnCopies}), so that the records are read here; not longer than {@link CopyLooks#PATIENCE_MS}, then they are fetched from where they
 * are. This loop never waits for the disk: {@link CopyLooks} does.
 */
public final class NearPartitions implements NearReads, AutoCloseable {
    static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(30);
    static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(2);
    private static final long LOOK_MS = 2;
    private static final long CHECK_MS = 500;
    /** A copy that does not come (its disk hangs, the ensemble has changed) is not waited for again for so long. */
    private static final long IMPATIENT_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final int nodeId;
    private final long nodeEpoch;
    private final String zone;
    private final Supplier<ClusterImage> image;
    private final Function<NodeState, Optional<Node>> addresses;
    private final CopyLooks looks;
    private final OwnerQuestions questions;
    private final SerialLoop loop;
    private final NearMetrics metrics;
    private final SplittableRandom random;
    private final Redirects redirects = new Redirects();
    private final SilentNodes silent = new SilentNodes();
    private final ConcurrentHashMap<Long, NearPartition> open = new ConcurrentHashMap<>();
    private volatile boolean closed;

    /** The loop's own. */
    private final Map<Integer, OwnerSession> sessions = new HashMap<>();

    /** For this node's copy, each until its patience is over. */
    private final Map<NearPartition, SerialLoop.Scheduled> waiting = new HashMap<>();

    private final Map<NearPartition, Long> impatientUntil = new HashMap<>();

    /**
     * @param nodeId of this node, in its present epoch
     * @param zone of this node, not empty
     * @param addresses by which nodes reach each other
     * @param ownCopies how far this node's copies of the WAL show a stream; empty: it has none to wait for
     * @param looking where those are asked for, which may wait for the disk
     * @param random for pauses, lest all nodes ask at the same time
     */
    NearPartitions(
            int nodeId,
            long nodeEpoch,
            String zone,
            Supplier<ClusterImage> image,
            Function<NodeState, Optional<Node>> addresses,
            Function<PartitionView, OptionalLong> ownCopies,
            OwnerQuestions questions,
            SerialLoop loop,
            SerialLoop looking,
            NearMetrics metrics,
            SplittableRandom random) {
        this.nodeId = nodeId;
        this.nodeEpoch = nodeEpoch;
        this.zone = zone;
        this.image = image;
        this.addresses = addresses;
        this.looks = new CopyLooks(ownCopies, loop, looking, this::looked);
        this.questions = questions;
        this.loop = loop;
        this.metrics = metrics;
        this.random = random;
    }

    /**
     * Those of one epoch of a node.
     *
     * @param listener by which nodes reach each other
     * @param lanes of a topic's records
     */
    public static NearPartitions start(
            int nodeId,
            long nodeEpoch,
            String zone,
            ControlPlane controlPlane,
            StreamExtents extents,
            Function<String, Lane> lanes,
            String listener,
            NearMetrics metrics) {
        OwnCopies copies = new OwnCopies(extents, nodeId, controlPlane::image, lanes);
        NearPartitions made = new NearPartitions(
                nodeId,
                nodeEpoch,
                zone,
                controlPlane::image,
                node -> Optional.ofNullable(Leader.endpoint(node, listener)),
                copies::visibleEnd,
                new FetchQuestions(() -> new PeerRequests("near", nodeId, Time.SYSTEM)),
                new SerialThread("near"),
                SerialThread.readingFiles("near-copies"),
                metrics,
                new SplittableRandom());
        controlPlane.subscribe(made::changed);
        made.start();
        return made;
    }

    void start() {
        loop.schedule(this::check, CHECK_MS);
    }

    // ---- readers, on any thread

    @Override
    public boolean enabled() {
        return true;
    }

    @Override
    public boolean isHere(String rack) {
        return zone.equals(rack);
    }

    @Override
    public int nodeFor(PartitionView partition, String rack, String listener, String connection) {
        ClusterImage now = image.get();
        StreamState stream = now.stream(partition.streamId()).orElse(null);
        if (stream == null || stream.ownerNodeId() != nodeId) {
            return NearNodes.NOBODY;
        }
        int near = NearNodes.of(now, stream, rack, listener);
        long nowNanos = loop.nanoTime();
        if (near == NearNodes.NOBODY
                || redirects.isSent(connection, stream.streamId(), nowNanos)
                || !silent.send(near, nowNanos)
                || !redirects.send(connection, stream.streamId(), nowNanos)) {
            return NearNodes.NOBODY;
        }
        metrics.redirected();
        return near;
    }

    @Override
    public void heard(int askingNodeId) {
        silent.heard(askingNodeId);
    }

    @Override
    public @Nullable PartitionView find(@Nullable String topic, Uuid topicId, int partition) {
        ClusterImage now = image.get();
        TopicState state = topicId.equals(Uuid.ZERO_UUID)
                ? (topic == null ? null : now.topic(topic).orElse(null))
                : now.topic(topicId).orElse(null);
        if (closed
                || state == null
                || partition < 0
                || partition >= state.streams().size()) {
            return null;
        }
        StreamState stream = now.stream(state.streams().get(partition)).orElse(null);
        if (stream == null || !isElsewhere(now, stream)) {
            return null;
        }
        NearPartition known = open.get(stream.streamId());
        if (known == null || !known.isOf(stream)) {
            known = open(stream);
        }
        if (known != null) {
            known.used(loop.nanoTime());
        }
        return known;
    }

    /** Owned by a node in another zone: in this one readers go to the owner. */
    private boolean isElsewhere(ClusterImage now, StreamState stream) {
        return now.node(stream.ownerNodeId())
                .filter(owner -> owner.nodeId() != nodeId && !owner.zone().equals(zone))
                .isPresent();
    }

    private @Nullable NearPartition open(StreamState stream) {
        NearPartition opened = open.compute(
                stream.streamId(),
                (id, known) -> known != null && known.isOf(stream) ? known : new NearPartition(stream, image));
        // The change that ends it may have been looked at before it was there.
        StreamState now = image.get().stream(stream.streamId()).orElse(null);
        if (!opened.isOf(now)) {
            loop.execute(() -> end(opened));
            return null;
        }
        loop.execute(() -> follow(opened));
        return opened;
    }

    @Override
    public void answered(int bytes) {
        metrics.answered(bytes);
    }

    // ---- owners, on the loop

    private void follow(NearPartition partition) {
        if (closed || open.get(partition.streamId()) != partition || !partition.follow()) {
            return;
        }
        sessions.computeIfAbsent(partition.ownerNodeId(), this::session).follow(partition);
        metrics.following(open.size());
    }

    private OwnerSession session(int owner) {
        return new OwnerSession(
                nodeId,
                nodeEpoch,
                () -> image.get().node(owner).filter(node -> !node.fenced()).flatMap(addresses),
                questions,
                loop,
                this::show,
                random.split());
    }

    /** The owner has said more. */
    private void show(NearPartition partition) {
        if (isImpatient(partition) || looks.hang()) {
            showTold(partition);
            return;
        }
        if (!waiting.containsKey(partition)) {
            beginPatience(partition);
        }
        looks.look(partition);
    }

    private boolean isImpatient(NearPartition partition) {
        Long until = impatientUntil.get(partition);
        if (until != null && loop.nanoTime() - until >= 0) {
            impatientUntil.remove(partition);
            return false;
        }
        return until != null;
    }

    private void beginPatience(NearPartition partition) {
        waiting.put(partition, loop.schedule(() -> patienceIsOver(partition), CopyLooks.PATIENCE_MS));
    }

    private void endPatience(NearPartition partition) {
        SerialLoop.Scheduled patience = waiting.remove(partition);
        if (patience != null) {
            patience.cancel();
        }
    }

    private void patienceIsOver(NearPartition partition) {
        impatientUntil.put(partition, loop.nanoTime() + IMPATIENT_NANOS);
        showTold(partition);
    }

    private void showTold(NearPartition partition) {
        endPatience(partition);
        partition.show(partition.toldHighWatermark(), loop.nanoTime());
    }

    /** @param here how far this node's copy shows it */
    private void looked(NearPartition partition, OptionalLong here) {
        if (!waiting.containsKey(partition)) {
            return;
        }
        boolean old = partition.highWatermark() == NearPartition.UNKNOWN && here.orElse(-1) < 0;
        if (here.isEmpty() || here.getAsLong() >= partition.toldHighWatermark() || old) {
            showTold(partition);
            return;
        }
        long before = partition.highWatermark();
        partition.show(here.getAsLong(), loop.nanoTime());
        if (partition.highWatermark() > before) {
            endPatience(partition);
            beginPatience(partition);
        }
        loop.schedule(() -> lookAgain(partition), LOOK_MS);
    }

    private void lookAgain(NearPartition partition) {
        if (waiting.containsKey(partition)) {
            looks.look(partition);
        }
    }

    /** Of the control plane. */
    void changed(ImageDelta delta, ClusterImage newImage) {
        if (open.isEmpty()) {
            return;
        }
        for (long streamId : delta.streams()) {
            NearPartition known = open.get(streamId);
            if (known != null) {
                boolean stays = known.isOf(newImage.stream(streamId).orElse(null));
                loop.execute(() -> {
                    if (stays) {
                        known.look();
                    } else {
                        end(known);
                    }
                });
            }
        }
    }

    private void end(NearPartition partition) {
        open.remove(partition.streamId(), partition);
        endPatience(partition);
        impatientUntil.remove(partition);
        partition.close();
        OwnerSession session = sessions.get(partition.ownerNodeId());
        if (session != null) {
            session.leave(partition);
            if (session.isEmpty()) {
                session.close();
                sessions.remove(partition.ownerNodeId());
            }
        }
        metrics.following(open.size());
    }

    private void check() {
        if (closed) {
            return;
        }
        long now = loop.nanoTime();
        ClusterImage present = image.get();
        for (NearPartition partition : open.values()) {
            StreamState stream = present.stream(partition.streamId()).orElse(null);
            if (stream == null
                    || partition.isIdle(now, IDLE_NANOS)
                    || !partition.isOf(stream)
                    || !isElsewhere(present, stream)) {
                end(partition);
            }
        }
        sessions.values().forEach(session -> session.checkSilence(SILENCE_NANOS));
        loop.schedule(this::check, CHECK_MS);
    }

    /** Streams that are followed now. */
    int size() {
        return open.size();
    }

    @Override
    public void close() {
        closed = true;
        loop.close();
        looks.close();
        questions.close();
        Iterator<NearPartition> partitions = open.values().iterator();
        while (partitions.hasNext()) {
            partitions.next().close();
            partitions.remove();
        }
        metrics.following(0);
    }
}
