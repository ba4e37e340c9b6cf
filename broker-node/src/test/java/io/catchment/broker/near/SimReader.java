package io.catchment.broker.near;

import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.StreamState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.apache.kafka.clients.FetchSessionHandler;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.utils.internals.LogContext;
import org.jspecify.annotations.Nullable;

/**
 * A consumer with {@code client.rack}, as Kafka's {@code AbstractFetch} and {@code FetchCollector} do it: one request to a node at a time, in an incremental
 * session; a preferred replica until its time is over, it is not listed any more, or anything goes wrong there. It checks every record that it gets.
 */
final class SimReader {
    private static final short VERSION = ApiKeys.FETCH.latestVersion();
    private static final int BACKOFF_MS = 100;
    private static final int REQUEST_TIMEOUT_MS = 3_000;

    final String zone;

    private final NearWorld world;
    private final SplittableRandom random;
    private final int preferredMs;
    private final List<Part> parts = new ArrayList<>();
    private final Map<Integer, Connection> connections = new TreeMap<>();
    private boolean metadataUnderWay;

    private static final class Part {
        final SimLog log;
        long position;
        int leader;
        int epoch;
        int preferred = -1;
        long preferredUntilNanos;
        /** As replicas that are online, behind the leader. */
        List<Integer> listed = List.of();

        String lastHeard = "nothing";
        /** Batches that came from the node of this zone. */
        int near;

        Part(SimLog log) {
            this.log = log;
            this.leader = log.owner;
            this.epoch = log.epoch;
        }
    }

    /** To one node. */
    private static final class Connection {
        final FetchSessionHandler session;
        String id;
        boolean waits;

        Connection(int node, String id) {
            this.session = new FetchSessionHandler(new LogContext(), node);
            this.id = id;
        }
    }

    SimReader(NearWorld world, String zone, int preferredMs) {
        this.world = world;
        this.zone = zone;
        this.preferredMs = preferredMs;
        this.random = world.random.split();
        world.logs.forEach(log -> parts.add(new Part(log)));
    }

    void start() {
        learn(world.control.image());
        poll();
    }

    private void poll() {
        Map<Integer, List<Part>> byNode = new TreeMap<>();
        for (Part part : parts) {
            byNode.computeIfAbsent(nodeFor(part), node -> new ArrayList<>()).add(part);
        }
        byNode.forEach((node, wanted) -> {
            Connection connection = connections.computeIfAbsent(node, id -> new Connection(id, newId()));
            if (!connection.waits) {
                ask(node, connection, wanted);
            }
        });
        world.time.schedule(this::poll, 1 + random.nextInt(10));
    }

    private String newId() {
        return zone + "-" + world.nextConnection();
    }

    private int nodeFor(Part part) {
        if (part.preferred >= 0) {
            boolean over = world.time.nanoTime() - part.preferredUntilNanos > 0;
            if (!over && isListed(part)) {
                return part.preferred;
            }
            part.preferred = -1;
            refreshMetadata();
        }
        return part.leader;
    }

    private boolean isListed(Part part) {
        return part.preferred == part.leader || part.listed.contains(part.preferred);
    }

    private void ask(int node, Connection connection, List<Part> wanted) {
        Map<Integer, Long> positions = new HashMap<>();
        FetchSessionHandler.Builder builder = connection.session.newBuilder();
        for (Part part : wanted) {
            positions.put(part.log.partition, part.position);
            builder.add(
                    new TopicPartition(part.log.topic, part.log.partition),
                    new FetchRequest.PartitionData(
                            world.topicId,
                            part.position,
                            FetchRequest.INVALID_LOG_START_OFFSET,
                            1 << (8 + random.nextInt(8)),
                            Optional.of(part.epoch)));
        }
        FetchSessionHandler.FetchRequestData data = builder.build();
        FetchRequest request = FetchRequest.Builder.forConsumer(VERSION, 100 + random.nextInt(400), 1, data.toSend())
                .setMaxBytes(1 << 16)
                .metadata(data.metadata())
                .removed(data.toForget())
                .replaced(data.toReplace())
                .rackId(zone)
                .build(VERSION);
        connection.waits = true;
        world.ask(
                world.node(node),
                FetchRequest.parse(request.serialize(), VERSION),
                connection.id,
                REQUEST_TIMEOUT_MS,
                response -> {
                    connection.waits = false;
                    if (response == null) {
                        connection.id = newId();
                        connection.session.handleError(DisconnectException.INSTANCE);
                        wanted.forEach(part -> goToLeader(part, "no answer of node " + node));
                    } else {
                        answered(node, connection, positions, response);
                    }
                });
    }

    private void answered(int node, Connection connection, Map<Integer, Long> positions, FetchResponse response) {
        if (!connection.session.handleResponse(response, VERSION)) {
            if (response.error() == Errors.FETCH_SESSION_TOPIC_ID_ERROR) {
                refreshMetadata();
            }
            return;
        }
        response.responseData(connection.session.sessionTopicNames(), VERSION).forEach((partition, data) -> {
            Part part = parts.get(partition.partition());
            Long asked = positions.get(partition.partition());
            if (asked != null && asked == part.position) {
                answered(node, part, data);
            }
        });
    }

    private void answered(int node, Part part, PartitionData data) {
        Errors error = Errors.forCode(data.errorCode());
        part.lastHeard = error + " by node " + node + ", high watermark " + data.highWatermark();
        switch (error) {
            case NONE -> {
                if (data.divergingEpoch().epoch() >= 0) {
                    throw new AssertionError(this + " is told to go back: " + data.divergingEpoch());
                }
                if (data.preferredReadReplica() >= 0) {
                    world.saw("sent to its zone");
                    part.preferred = data.preferredReadReplica();
                    part.preferredUntilNanos = world.time.nanoTime() + preferredMs * 1_000_000L;
                }
                take(node, part, data);
            }
            case OFFSET_OUT_OF_RANGE -> outOfRange(node, part);
            case UNKNOWN_LEADER_EPOCH -> world.saw("unknown epoch");
            case NOT_LEADER_OR_FOLLOWER,
                    FENCED_LEADER_EPOCH,
                    KAFKA_STORAGE_ERROR,
                    OFFSET_NOT_AVAILABLE,
                    REPLICA_NOT_AVAILABLE,
                    UNKNOWN_TOPIC_ID,
                    UNKNOWN_TOPIC_OR_PARTITION -> goToLeader(part, part.lastHeard);
            default -> throw new AssertionError(this + " gets " + error);
        }
    }

    private void goToLeader(Part part, String why) {
        part.lastHeard = why;
        if (part.preferred >= 0) {
            world.saw("back to the owner");
            part.preferred = -1;
        }
        refreshMetadata();
    }

    private void outOfRange(int node, Part part) {
        if (part.preferred >= 0) {
            part.preferred = -1;
            world.saw("back to the owner, out of range");
            return;
        }
        if (part.position >= part.log.start) {
            throw new AssertionError("node " + node + " says that there is no offset " + part.position + ": " + this);
        }
        world.saw("begins again at the log's start");
        part.position = part.log.start;
    }

    private void take(int node, Part part, PartitionData data) {
        MemoryRecords records = (MemoryRecords) data.records();
        for (RecordBatch batch : records.batches()) {
            for (Record each : batch) {
                if (each.offset() >= part.position) {
                    check(node, part, each);
                    part.position = each.offset() + 1;
                }
            }
            if (world.node(node).zone.equals(zone) && part.log.owner != node) {
                part.near++;
                world.saw("batch read in the zone");
            }
        }
    }

    private void check(int node, Part part, Record each) {
        SimLog log = part.log;
        String what = "partition " + log.partition + ", offset " + each.offset() + ", from node " + node + ": ";
        for (long between = part.position; between < each.offset(); between++) {
            if (!log.isGone(between)) {
                throw new AssertionError(what + "offset " + between + " was left out");
            }
        }
        if (each.offset() >= log.acknowledged) {
            throw new AssertionError(what + "only up to " + log.acknowledged + " it is acknowledged");
        }
        long number = log.numberAt(each.offset());
        if (number != each.timestamp() && !log.isGone(each.offset())) {
            throw new AssertionError(what + "record " + each.timestamp() + " is not the log's, that is " + number);
        }
    }

    private void refreshMetadata() {
        if (metadataUnderWay) {
            return;
        }
        metadataUnderWay = true;
        world.time.schedule(
                () -> {
                    metadataUnderWay = false;
                    SimNode from = world.anyAnswering();
                    if (from == null) {
                        refreshMetadata();
                    } else {
                        learn(from.image);
                    }
                },
                BACKOFF_MS + world.delayMs());
    }

    /** Never of an older epoch than is known. */
    private void learn(ClusterImage image) {
        for (Part part : parts) {
            StreamState stream = image.stream(part.log.streamId).orElseThrow();
            if (stream.epoch() >= part.epoch) {
                part.epoch = stream.epoch();
                part.leader = stream.ownerNodeId();
                part.listed = List.copyOf(NearNodes.of(image, stream, "PLAINTEXT"));
            }
        }
    }

    boolean hasAll() {
        return parts.stream().allMatch(part -> part.position >= part.log.acknowledged);
    }

    void countAnew() {
        parts.forEach(part -> part.near = 0);
    }

    /** Of the partitions that are owned in other zones, one that nobody in this zone read for it; null if there is none. */
    @Nullable
    String readElsewhere() {
        for (Part part : parts) {
            if (!world.node(part.log.owner).zone.equals(zone) && part.near == 0) {
                return "of partition " + part.log.partition + " nothing was read in " + zone + "; " + this;
            }
        }
        return null;
    }

    @Override
    public String toString() {
        StringBuilder all = new StringBuilder("the reader in " + zone);
        for (Part part : parts) {
            all.append(
                    "; partition %d (owner %d, epoch %d, from %d to %d): at %d, leader %d, epoch %d, preferred %d, heard %s"
                            .formatted(
                                    part.log.partition,
                                    part.log.owner,
                                    part.log.epoch,
                                    part.log.start,
                                    part.log.acknowledged,
                                    part.position,
                                    part.leader,
                                    part.epoch,
                                    part.preferred,
                                    part.lastHeard));
        }
        return all.toString();
    }
}
