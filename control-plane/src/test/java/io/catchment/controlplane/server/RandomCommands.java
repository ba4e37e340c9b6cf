package io.catchment.controlplane.server;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ManifestDigest;
import io.catchment.controlplane.ManifestRef;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.OwnedRange;
import io.catchment.controlplane.StreamRange;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.ClientQuotaRecord;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.jspecify.annotations.Nullable;

/** Commands that often make sense on the image they are made from, and sometimes do not. */
final class RandomCommands {
    private static final List<String> TOPICS = List.of("a", "b", "c.d", "c_d", "e");

    private final Random random;
    /** What was proposed to be in a manifest, by its object: what a node would read there if the proposal was taken. */
    private final Map<Long, List<List<OwnedRange>>> manifests = new HashMap<>();

    RandomCommands(Random random) {
        this.random = random;
    }

    Command<?> next(ClusterImage image) {
        NodeState node = pick(image.nodes(), Comparator.comparingInt(NodeState::nodeId));
        if (node == null || random.nextInt(25) == 0) {
            return register();
        }
        if (random.nextInt(2) == 0) {
            return towardsManifests(image, node);
        }
        int id = node.nodeId();
        long epoch = random.nextInt(20) == 0 ? node.epoch() - 1 : node.epoch();
        return switch (random.nextInt(27)) {
            case 0 -> random.nextInt(4) == 0 ? new Command.UnregisterNode(id, epoch) : register();
            case 1, 2 ->
                new Command.CreateTopics(
                        List.of(new Command.CreateTopic(
                                topicName(), 1 + random.nextInt(4), (short) 1, Map.of("k", "v" + random.nextInt(3)))),
                        random.nextInt(8) == 0);
            case 3 -> deleteTopics(image);
            case 4 ->
                new Command.CreatePartitions(topicName(), 1 + random.nextInt(8), List.of(), random.nextInt(8) == 0);
            case 5 -> alterConfigs(image);
            case 6 -> new Command.AllocateProducerIds(id, epoch);
            case 7 -> openStreams(image, id, epoch);
            case 8 ->
                new Command.CreateExtent(
                        id,
                        epoch,
                        random.nextInt(3),
                        random.nextInt(4) == 0 ? List.of(new ExtentState.Store(id, node.storeId())) : List.of());
            case 9 -> sealExtent(image, epoch);
            case 10 -> recoverExtent(image, id, epoch);
            case 11 -> releaseExtent(image);
            case 12 -> new Command.PrepareObjects(id, epoch, 1 + random.nextInt(3), 200 + random.nextInt(5000));
            case 13, 14 -> publishFlush(image, id, epoch);
            case 15 ->
                random.nextInt(4) == 0
                        ? new Command.FenceNode(id, epoch)
                        : new Command.DrainNode(id, random.nextInt(3) == 0);
            case 16 -> random.nextInt(4) == 0 ? new Command.RemoveNode(id) : addHolder(image, node, epoch);
            case 17, 18 -> moveStreams(image);
            case 19 -> resignStreams(image, id, epoch);
            case 20 -> trimStreams(image, id, epoch);
            case 21 -> publishMerge(image, id, epoch);
            case 22, 23 -> publishManifest(image, id, epoch);
            case 24 -> releaseManifest(image, id, epoch);
            case 25 -> alterClients();
            default -> forgetObjects(image);
        };
    }

    /** The next step that is missing for a manifest: an id, a sealed extent, a second range. By itself chance hardly ever gets there. */
    private Command<?> towardsManifests(ClusterImage image, NodeState node) {
        boolean prepared = image.objects().stream().anyMatch(one -> one.phase() == ObjectState.Phase.PREPARED);
        if (!prepared) {
            return new Command.PrepareObjects(node.nodeId(), node.epoch(), 4, 60_000);
        }
        boolean listed =
                image.streams().stream().anyMatch(each -> !each.manifests().isEmpty());
        if ((listed || !image.retiredManifests().isEmpty()) && random.nextInt(3) == 0) {
            return releaseManifest(image, node.nodeId(), node.epoch());
        }
        if (image.streams().stream().anyMatch(each -> each.catalog().size() > 1) && random.nextBoolean()) {
            return publishManifest(image, node.nodeId(), node.epoch());
        }
        for (ExtentState extent : sorted(image.extents(), Comparator.comparingLong(ExtentState::extentId))) {
            if (extent.phase() == ExtentState.Phase.SEALED) {
                return publishFlush(image, node.nodeId(), node.epoch());
            }
            if (extent.phase() == ExtentState.Phase.OPEN) {
                return new Command.SealExtent(extent.extentId(), extent.epoch(), 100, extent.ensemble());
            }
        }
        return new Command.CreateExtent(node.nodeId(), node.epoch(), random.nextInt(3), List.of());
    }

    private Command<?> register() {
        int id = 1 + random.nextInt(4);
        return new Command.RegisterNode(
                id,
                "store-" + id + "-" + random.nextInt(2),
                List.of(new Endpoint("PLAINTEXT", "host-" + id, 9092)),
                "zone-" + id % 3,
                random.nextInt(5) == 0 ? List.of("wal") : List.of("broker", "wal"),
                new Uuid(random.nextLong(), random.nextLong()));
    }

    private Command<?> deleteTopics(ClusterImage image) {
        TopicState topic = pick(image.topics(), Comparator.comparing(TopicState::name));
        return new Command.DeleteTopics(List.of(topic == null ? new Uuid(1, 1) : topic.topicId()));
    }

    private Command<?> alterConfigs(ClusterImage image) {
        Map<String, @Nullable String> changes = new HashMap<>();
        changes.put("k", random.nextBoolean() ? null : "x" + random.nextInt(5));
        String topic = topicName();
        return new Command.AlterConfigs(
                (byte) 2, topic, changes, random.nextBoolean() ? null : image.configs((byte) 2, topic));
    }

    private Command<?> alterClients() {
        return new Command.AlterClients(List.of(new ApiMessageAndVersion(
                new ClientQuotaRecord()
                        .setEntity(List.of(new ClientQuotaRecord.EntityData()
                                .setEntityType("client-id")
                                .setEntityName("client-" + random.nextInt(3))))
                        .setKey("producer_byte_rate")
                        .setValue(1 + random.nextInt(5))
                        .setRemove(random.nextInt(4) == 0),
                (short) 0)));
    }

    private Command<?> openStreams(ClusterImage image, int nodeId, long epoch) {
        List<Command.Claim> claims = new ArrayList<>();
        sorted(image.streams(), Comparator.comparingLong(StreamState::streamId)).stream()
                .filter(stream -> random.nextBoolean())
                .forEach(stream -> claims.add(new Command.Claim(
                        stream.streamId(),
                        stream.catalogEndOffset() + random.nextInt(3) - (random.nextInt(30) == 0 ? 5 : 0))));
        return new Command.OpenStreams(nodeId, epoch, claims);
    }

    private Command<?> moveStreams(ClusterImage image) {
        List<Command.Move> moves = new ArrayList<>();
        for (StreamState stream : sorted(image.streams(), Comparator.comparingLong(StreamState::streamId))) {
            if (random.nextBoolean()) {
                moves.add(new Command.Move(stream.streamId(), random.nextInt(7) - 2));
            }
        }
        return new Command.MoveStreams(moves, random.nextInt(4) == 0);
    }

    private Command<?> resignStreams(ClusterImage image, int nodeId, long epoch) {
        List<Command.Resignation> streams = new ArrayList<>();
        for (StreamState stream : sorted(image.streams(), Comparator.comparingLong(StreamState::streamId))) {
            if (random.nextBoolean()) {
                streams.add(new Command.Resignation(
                        stream.streamId(), endOf(stream) + random.nextInt(3), random.nextInt(3), 0, 10));
            }
        }
        return new Command.ResignStreams(nodeId, epoch, streams);
    }

    private Command<?> trimStreams(ClusterImage image, int nodeId, long epoch) {
        List<Command.Trim> trims = new ArrayList<>();
        for (StreamState stream : sorted(image.streams(), Comparator.comparingLong(StreamState::streamId))) {
            if (random.nextInt(3) == 0) {
                long kept = Math.max(1, endOf(stream) - stream.logStartOffset() + 1);
                trims.add(new Command.Trim(
                        stream.streamId(), stream.logStartOffset() + random.nextInt((int) Math.min(kept, 1000))));
            }
        }
        return new Command.TrimStreams(nodeId, epoch, trims);
    }

    private Command<?> publishMerge(ClusterImage image, int nodeId, long epoch) {
        ObjectState object = pick(
                image.objects().stream()
                        .filter(one -> one.phase() == ObjectState.Phase.PREPARED || random.nextInt(10) == 0)
                        .toList(),
                Comparator.comparingLong(ObjectState::objectId));
        List<Command.MergedRange> ranges = new ArrayList<>();
        for (StreamState stream : sorted(image.streams(), Comparator.comparingLong(StreamState::streamId))) {
            int size = stream.catalog().size();
            if (size > 0 && random.nextBoolean()) {
                int from = random.nextInt(size);
                List<StreamRange> inputs = stream.catalog().subList(from, from + 1 + random.nextInt(size - from));
                long wrong = random.nextInt(20) == 0 ? 1 : 0;
                ranges.add(new Command.MergedRange(
                        new Command.NewRange(
                                stream.streamId(),
                                inputs.get(0).baseOffset(),
                                inputs.get(inputs.size() - 1).endOffset() + wrong,
                                random.nextInt(1000),
                                10,
                                1,
                                2),
                        inputs.stream().map(StreamRange::objectId).toList(),
                        random.nextInt(3) == 0 ? inputs.get(inputs.size() - 1).endOffset() : 0));
            }
        }
        return new Command.PublishMerge(nodeId, epoch, object == null ? 999 : object.objectId(), 100, ranges);
    }

    private Command<?> publishManifest(ClusterImage image, int nodeId, long epoch) {
        StreamState stream = pick(
                image.streams().stream()
                        .filter(each -> each.catalog().size() > 1)
                        .toList(),
                Comparator.comparingLong(StreamState::streamId));
        ObjectState object = pick(
                image.objects().stream()
                        .filter(one -> one.phase() == ObjectState.Phase.PREPARED || random.nextInt(10) == 0)
                        .toList(),
                Comparator.comparingLong(ObjectState::objectId));
        if (stream == null || object == null) {
            return new Command.PrepareObjects(nodeId, epoch, 1 + random.nextInt(3), 200 + random.nextInt(5000));
        }
        List<OwnedRange> ranges = new ArrayList<>();
        long replaced = Command.PublishManifest.NO_OBJECT;
        if (!stream.manifests().isEmpty() && random.nextInt(4) > 0) {
            ManifestRef newest = stream.manifests().get(stream.manifests().size() - 1);
            ranges.addAll(listed(newest));
            replaced = newest.objectId();
        }
        for (StreamRange range : stream.catalog()
                .subList(0, 1 + random.nextInt(Math.min(3, stream.catalog().size())))) {
            long bytes = image.object(range.objectId()).map(ObjectState::bytes).orElse(1L);
            ranges.add(new OwnedRange(range, bytes + (random.nextInt(30) == 0 ? 1 : 0)));
        }
        manifests.computeIfAbsent(object.objectId(), id -> new ArrayList<>()).add(List.copyOf(ranges));
        return new Command.PublishManifest(
                nodeId, epoch, stream.streamId(), object.objectId(), random.nextInt(1000), replaced, ranges);
    }

    private Command<?> releaseManifest(ClusterImage image, int nodeId, long epoch) {
        ManifestRef retired = pick(image.retiredManifests(), Comparator.comparingLong(ManifestRef::objectId));
        if (retired != null && random.nextBoolean()) {
            return new Command.ReleaseManifest(nodeId, epoch, 0, retired.objectId(), listed(retired), null, 0);
        }
        StreamState stream = pick(
                image.streams().stream()
                        .filter(each -> !each.manifests().isEmpty())
                        .toList(),
                Comparator.comparingLong(StreamState::streamId));
        if (stream == null) {
            return trimStreams(image, nodeId, epoch);
        }
        ManifestRef first = stream.manifests().get(0);
        List<OwnedRange> all = listed(first);
        int gone = 0;
        while (gone < all.size() - 1 && all.get(gone).range().endOffset() <= stream.logStartOffset()) {
            gone++;
        }
        gone += random.nextInt(10) == 0 ? 1 : 0;
        return gone == 0
                ? trimStreams(image, nodeId, epoch)
                : new Command.ReleaseManifest(
                        nodeId,
                        epoch,
                        stream.streamId(),
                        first.objectId(),
                        all.subList(0, gone),
                        gone < all.size() ? all.get(gone) : null,
                        gone + 1 < all.size()
                                ? ManifestDigest.of(all.subList(gone + 1, all.size()), ManifestDigest.NOTHING)
                                : ManifestDigest.NOTHING);
    }

    /** What is left of it. */
    private List<OwnedRange> listed(ManifestRef manifest) {
        return manifests.getOrDefault(manifest.objectId(), List.of()).stream()
                .filter(all -> all.size() >= manifest.ranges())
                .map(all -> all.subList(all.size() - manifest.ranges(), all.size()))
                .filter(left -> ManifestDigest.of(left, ManifestDigest.NOTHING) == manifest.digest())
                .findFirst()
                .orElseThrow(() -> new AssertionError("nobody proposed " + manifest));
    }

    /** No lower than anything known of it. */
    static long endOf(StreamState stream) {
        List<StreamState.EpochStart> starts = stream.epochStarts();
        long start = starts.isEmpty() ? 0 : starts.get(starts.size() - 1).startOffset();
        return Math.max(start, stream.catalogEndOffset());
    }

    private Command<?> addHolder(ClusterImage image, NodeState node, long epoch) {
        ExtentState extent = extent(image);
        return new Command.AddHolder(
                node.nodeId(),
                epoch,
                extent == null ? 99 : extent.extentId(),
                new ExtentState.Store(node.nodeId(), node.storeId()));
    }

    private Command<?> sealExtent(ClusterImage image, long epoch) {
        ExtentState extent = extent(image);
        return extent == null
                ? new Command.SealExtent(99, epoch, 1, List.of(new ExtentState.Store(1, "s")))
                : new Command.SealExtent(
                        extent.extentId(),
                        random.nextInt(10) == 0 ? epoch : extent.epoch(),
                        random.nextInt(3) * 100L,
                        extent.ensemble());
    }

    private Command<?> recoverExtent(ClusterImage image, int nodeId, long epoch) {
        ExtentState extent = extent(image);
        return new Command.RecoverExtent(extent == null ? 99 : extent.extentId(), nodeId, epoch);
    }

    private Command<?> releaseExtent(ClusterImage image) {
        ExtentState extent = extent(image);
        return new Command.ReleaseExtent(
                extent == null ? 99 : extent.extentId(), extent == null ? List.of() : extent.holders());
    }

    private Command<?> publishFlush(ClusterImage image, int nodeId, long epoch) {
        ExtentState sealed = pick(
                image.extents().stream()
                        .filter(each -> each.phase() == ExtentState.Phase.SEALED)
                        .toList(),
                Comparator.comparingLong(ExtentState::extentId));
        if (sealed != null && random.nextInt(4) > 0) {
            NodeState writer = image.node(sealed.writerNodeId()).orElse(null);
            return writer == null
                    ? publishFlush(image, sealed, nodeId, epoch)
                    : publishFlush(image, sealed, writer.nodeId(), writer.epoch());
        }
        return publishFlush(image, extent(image), nodeId, epoch);
    }

    private Command<?> publishFlush(ClusterImage image, @Nullable ExtentState extent, int nodeId, long epoch) {
        ObjectState object = pick(
                image.objects().stream()
                        .filter(one -> one.phase() == ObjectState.Phase.PREPARED || random.nextInt(10) == 0)
                        .toList(),
                Comparator.comparingLong(ObjectState::objectId));
        if (extent == null || object == null || random.nextInt(6) == 0) {
            return new Command.PublishFlush(
                    nodeId, epoch, extent == null ? 99 : extent.extentId(), -1, 0, List.of(), List.of());
        }
        List<Command.NewRange> ranges = new ArrayList<>();
        List<Command.NewCheckpoint> checkpoints = new ArrayList<>();
        List<StreamState> streams = sorted(image.streams(), Comparator.comparingLong(StreamState::streamId));
        boolean one = !streams.isEmpty() && random.nextBoolean();
        for (StreamState stream : one ? List.of(streams.get(random.nextInt(streams.size()))) : streams) {
            if (one || random.nextBoolean()) {
                long base = stream.catalogEndOffset() + (random.nextInt(40) == 0 ? 1 : 0);
                ranges.add(new Command.NewRange(
                        stream.streamId(), base, base + 1 + random.nextInt(5), random.nextInt(1000), 10, 1, 2));
            }
            if (!one && random.nextBoolean()) {
                checkpoints.add(new Command.NewCheckpoint(stream.streamId(), random.nextInt(50), 0, 10));
            }
        }
        return new Command.PublishFlush(
                nodeId,
                epoch,
                extent.extentId(),
                object.objectId(),
                random.nextInt(1000),
                ranges,
                checkpoints,
                random.nextInt(4) == 0);
    }

    private Command<?> forgetObjects(ClusterImage image) {
        ObjectState object = pick(
                image.objects().stream()
                        .filter(one -> one.phase() == ObjectState.Phase.DOOMED || random.nextInt(10) == 0)
                        .toList(),
                Comparator.comparingLong(ObjectState::objectId));
        return new Command.ForgetObjects(List.of(object == null ? 999L : object.objectId()));
    }

    private @Nullable ExtentState extent(ClusterImage image) {
        return pick(image.extents(), Comparator.comparingLong(ExtentState::extentId));
    }

    private String topicName() {
        return TOPICS.get(random.nextInt(TOPICS.size()));
    }

    private <T> @Nullable T pick(Collection<T> all, Comparator<T> order) {
        List<T> sorted = sorted(all, order);
        return sorted.isEmpty() ? null : sorted.get(random.nextInt(sorted.size()));
    }

    private static <T> List<T> sorted(Collection<T> all, Comparator<T> order) {
        return all.stream().sorted(order).toList();
    }
}
