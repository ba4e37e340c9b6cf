package io.catchment.controlplane;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.jspecify.annotations.Nullable;

/**
 * What can be asked of the control plane (DESIGN §4 "Commands"). Node commands carry the node epoch they were sent in and are
 * refused with FENCED when it is over. All are idempotent: by their command id, and by their content where noted.
 *
 * @param <R> what the answer is
 */
public sealed interface Command<R> {

    /** Answered by a create, delete or alter for one of the things named: {@code error} is null when it was done. */
    record ItemResult(String name, @Nullable ItemError error) {}

    record ItemError(CommandException.Reason reason, String message) {}

    // ---- nodes

    /**
     * Gives the node a new epoch, higher than any before; what an earlier process of this node id did is fenced, and the extents
     * it left open are RECOVERING.
     *
     * @param leased the node heartbeats ({@link ControlPlane#keepAlive}), and is fenced when it does not
     */
    record RegisterNode(
            int nodeId,
            String storeId,
            List<Endpoint> endpoints,
            String zone,
            List<String> roles,
            Uuid incarnation,
            boolean leased)
            implements Command<NodeEpoch> {
        public RegisterNode {
            endpoints = List.copyOf(endpoints);
            roles = List.copyOf(roles);
        }

        /** Of a node that does not heartbeat and is never fenced for its silence. */
        public RegisterNode(
                int nodeId,
                String storeId,
                List<Endpoint> endpoints,
                String zone,
                List<String> roles,
                Uuid incarnation) {
            this(nodeId, storeId, endpoints, zone, roles, incarnation, false);
        }
    }

    record NodeEpoch(long epoch) {}

    /** A graceful goodbye; as {@link FenceNode}, by the node itself. */
    record UnregisterNode(int nodeId, long nodeEpoch) implements Command<Done> {}

    /**
     * The node's epoch is over (DESIGN §5 "Recovery"): its open extents become RECOVERING with a recoverer each, its streams get
     * other owners if there are any, its tasks go to others. Submitted by the active controller when a lease is over; nothing
     * happens when that epoch is over already.
     */
    record FenceNode(int nodeId, long nodeEpoch) implements Command<Done> {}

    /** The node is to be rid of its streams (moved in batches) and of other writers' open extents (they move), and gets no more; or it is to be used again. */
    record DrainNode(int nodeId, boolean draining) implements Command<Done> {}

    /**
     * A fenced node leaves the state for good, with its copies of extents. NOT_YET while it owns streams, or its store is the last
     * holder of an extent that is not flushed, or one of its extents is not sealed.
     */
    record RemoveNode(int nodeId) implements Command<Done> {}

    /** Nothing to say but that it is done. */
    record Done() {}

    // ---- topics and configurations

    /**
     * {@code configs} are validated by the caller.
     *
     * @param owners the owner of each partition (a manual assignment), or empty: placement chooses
     */
    record CreateTopic(
            String name, int partitions, short replicationFactor, Map<String, String> configs, List<Integer> owners) {
        public CreateTopic {
            configs = Map.copyOf(configs);
            owners = List.copyOf(owners);
        }

        public CreateTopic(String name, int partitions, short replicationFactor, Map<String, String> configs) {
            this(name, partitions, replicationFactor, configs, List.of());
        }
    }

    record CreateTopics(List<CreateTopic> topics, boolean validateOnly) implements Command<List<CreatedTopic>> {
        public CreateTopics {
            topics = List.copyOf(topics);
        }
    }

    record CreatedTopic(
            String name,
            Uuid topicId,
            int partitions,
            @Nullable ItemError error) {}

    /**
     * By id, so that a topic created anew under the same name meanwhile is safe; NOT_FOUND for an id that is gone. Answered in
     * the order asked, with each topic's name (its id as text where it was not found).
     */
    record DeleteTopics(List<Uuid> topicIds) implements Command<List<ItemResult>> {
        public DeleteTopics {
            topicIds = List.copyOf(topicIds);
        }
    }

    /** @param owners of the partitions added (a manual assignment), or empty: placement chooses */
    record CreatePartitions(String topic, int totalCount, List<Integer> owners, boolean validateOnly)
            implements Command<Done> {
        public CreatePartitions {
            owners = List.copyOf(owners);
        }
    }

    /**
     * Sets (value) or removes (null) keys of one resource, as IncrementalAlterConfigs left them after SET/DELETE/APPEND/SUBTRACT.
     *
     * @param before the whole configuration of the resource from which the changes were worked out and with which they were validated;
     *     NOT_YET when it is another one by now. Null: whatever it is
     */
    record AlterConfigs(
            byte resourceType,
            String resourceName,
            Map<String, @Nullable String> changes,
            @Nullable Map<String, String> before)
            implements Command<Done> {
        public AlterConfigs {
            before = before == null ? null : Map.copyOf(before);
        }

        public AlterConfigs(byte resourceType, String resourceName, Map<String, @Nullable String> changes) {
            this(resourceType, resourceName, changes, null);
        }
    }

    /**
     * Sets or removes what the cluster keeps about clients: quotas and SCRAM credentials, as Kafka's own records ({@code ClientQuotaRecord},
     * {@code UserScramCredentialRecord}, {@code RemoveUserScramCredentialRecord}), all of them or none. Their meaning is validated by the caller; INVALID when there are others
     * among them, or more than one command may have. Kafka's image keeps them ({@link ClusterImage#metadata}). The values are absolute:
     * doing it twice does no harm.
     */
    record AlterClients(List<ApiMessageAndVersion> records) implements Command<Done> {
        public AlterClients {
            records = List.copyOf(records);
        }
    }

    // ---- producer ids

    record AllocateProducerIds(int nodeId, long nodeEpoch) implements Command<ProducerIdBlock> {}

    record ProducerIdBlock(long firstId, int size) {}

    // ---- streams

    /**
     * The owner's claim: {@code endOffset} is where the new stream epoch starts.
     *
     * @param epoch of the stream when its end was read; {@link #EPOCH_NOT_SAID} by nodes of versions that did not say
     */
    record Claim(long streamId, long endOffset, int epoch) {
        public static final int EPOCH_NOT_SAID = -1;

        public Claim(long streamId, long endOffset) {
            this(streamId, endOffset, EPOCH_NOT_SAID);
        }
    }

    /**
     * Opens streams this node is the owner of, in one step for many: raises each stream's epoch and records where it starts.
     * Streams that are gone or have another owner are left out of the answer, and those with extents under recovery
     * ({@link ClusterImage#writersUnderRecovery}): for them it is too early. So are those that changed hands since they were read, even if
     * they came back: others may have written behind the end that was read.
     */
    record OpenStreams(int nodeId, long nodeEpoch, List<Claim> claims) implements Command<Map<Long, Integer>> {
        public OpenStreams {
            claims = List.copyOf(claims);
        }
    }

    /** To the node, or to the preferred owner with {@link #PREFERRED}, or nowhere after all with {@link #STAY}. */
    record Move(long streamId, int targetNodeId) {
        public static final int STAY = -1;
        public static final int PREFERRED = -2;
    }

    /**
     * Asks the owners to hand streams over. A stream without a serving owner changes at once; else its owner sees the target in the
     * image and resigns it. The target becomes the preferred owner. Answered per stream, by its id as text: NOT_FOUND, or
     * INVALID when the target is not a live broker.
     *
     * @param pinned by hand: the balancer leaves these streams alone from now on
     */
    record MoveStreams(List<Move> moves, boolean pinned) implements Command<List<ItemResult>> {
        public MoveStreams {
            moves = List.copyOf(moves);
        }
    }

    /**
     * The owner has stopped a stream, and everything it appended is acknowledged.
     *
     * @param checkpointExtentId, position and length of the producers' state in this node's WAL; 0: there is none
     */
    record Resignation(
            long streamId, long endOffset, long checkpointExtentId, long checkpointPosition, int checkpointLength) {}

    /**
     * Hands streams over to their targets (or, where a target is gone, to whom placement chooses): in one step the stream
     * has the new owner, open in the owner's present node epoch, and a new stream epoch that starts at the end offset. The answer has
     * the new epochs; streams that another node owns, or that nobody could take, are left out: the node goes on with the latter.
     */
    record ResignStreams(int nodeId, long nodeEpoch, List<Resignation> streams) implements Command<Map<Long, Integer>> {
        public ResignStreams {
            streams = List.copyOf(streams);
        }
    }

    /** Offsets of the stream before this one are to go. */
    record Trim(long streamId, long logStartOffset) {}

    /**
     * The owner moves the beginning of streams up (retention, DeleteRecords): published ranges that end there or before leave the
     * catalog, and objects without any reference left are doomed. What is not published yet of them will not be. Streams that the node
     * does not have open in its epoch are left alone, and those that begin there or later already. The end of a stream is
     * known to its owner only: it must not ask for more than what is acknowledged.
     */
    record TrimStreams(int nodeId, long nodeEpoch, List<Trim> trims) implements Command<Done> {
        public TrimStreams {
            trims = List.copyOf(trims);
        }
    }

    // ---- extents

    /**
     * @param lane 0 urgent, 1 normal, 2 bulk
     * @param avoid stores that the writer finds slow, full or out of reach: taken only when it cannot be acknowledged without them
     */
    record CreateExtent(int nodeId, long nodeEpoch, int lane, List<ExtentState.Store> avoid)
            implements Command<ExtentState> {
        public CreateExtent {
            avoid = List.copyOf(avoid);
        }

        public CreateExtent(int nodeId, long nodeEpoch, int lane) {
            this(nodeId, nodeEpoch, lane, List.of());
        }
    }

    /**
     * Guarded by the writer's node epoch or, once RECOVERING, by the recovery epoch and the present epoch of its recoverer. Same length
     * again: no-op (W2).
     */
    record SealExtent(long extentId, long epoch, long length, List<ExtentState.Store> holders)
            implements Command<Done> {
        public SealExtent {
            holders = List.copyOf(holders);
        }
    }

    /**
     * OPEN (of an epoch that is over) or RECOVERING to RECOVERING with a higher recovery epoch, which is the answer; the caller is its
     * recoverer from then on. FENCED while another live node recovers it, and when it is sealed: it is not this node's to recover.
     */
    record RecoverExtent(long extentId, int recovererNodeId, long recovererNodeEpoch) implements Command<NodeEpoch> {}

    /** The holders named have deleted their copy; when none is left the extent leaves the state. Only for FLUSHED ones (W5). */
    record ReleaseExtent(long extentId, List<ExtentState.Store> holders) implements Command<Done> {
        public ReleaseExtent {
            holders = List.copyOf(holders);
        }
    }

    /** The store has all of the sealed extent now: a repair is done. */
    record AddHolder(int nodeId, long nodeEpoch, long extentId, ExtentState.Store holder) implements Command<Done> {}

    // ---- objects

    /** Takes object ids for uploads; what is not published within {@code ttlMs} of the controller's clock is doomed (O3). */
    record PrepareObjects(int nodeId, long nodeEpoch, int count, long ttlMs) implements Command<List<Long>> {}

    /**
     * The extent's data is in the object (O1, O2). Each range must begin where its stream's catalog ends, else NOT_YET (an
     * earlier extent is still to come); ranges of streams that are gone are ignored; the extent becomes FLUSHED. An extent
     * without data is published with object id -1. Publishing the same again is a no-op. The writer's node may do it, in this or a
     * later epoch, or the node that has the extent's FLUSH task; for others it is NOT_YET.
     *
     * <p>With {@code partial} the ranges whose turn has come are published and the others are left out, and the extent stays SEALED: two
     * extents may hold later parts of each other's streams (after changes of lane or of owner), and then neither can go first as a whole.
     * The same command without {@code partial} ends it; ranges that are in the catalog by then, in this object, are done. So are the checkpoints of streams that are
     * published up to there. What has more entries than one command takes comes in parts, each of other entries: all but the last are {@code partial}, and the last one is
     * sent when these were answered.
     */
    record PublishFlush(
            int nodeId,
            long nodeEpoch,
            long extentId,
            long objectId,
            long objectBytes,
            List<NewRange> ranges,
            List<NewCheckpoint> checkpoints,
            boolean partial)
            implements Command<Done> {
        /** Ranges and checkpoints together in one command: its record must fit into one batch. */
        public static final int ENTRIES_MAX = 100_000;

        public PublishFlush {
            ranges = List.copyOf(ranges);
            checkpoints = List.copyOf(checkpoints);
        }

        /** The whole extent. */
        public PublishFlush(
                int nodeId,
                long nodeEpoch,
                long extentId,
                long objectId,
                long objectBytes,
                List<NewRange> ranges,
                List<NewCheckpoint> checkpoints) {
            this(nodeId, nodeEpoch, extentId, objectId, objectBytes, ranges, checkpoints, false);
        }
    }

    /**
     * The offsets of a range, which were in several that follow each other.
     *
     * @param inputObjectIds the object of each of these, in the order of their offsets
     * @param cleanedTo with this key compaction has seen all keys of the stream below this offset; 0 for a merge, and for all steps of a
     *     compaction but its last
     */
    record MergedRange(NewRange range, List<Long> inputObjectIds, long cleanedTo) {
        public MergedRange {
            inputObjectIds = List.copyOf(inputObjectIds);
        }

        public MergedRange(NewRange range, List<Long> inputObjectIds) {
            this(range, inputObjectIds, 0);
        }
    }

    /**
     * The object holds what ranges of several objects hold now, byte for byte or without what key compaction takes away: it takes their place in
     * the catalog (DESIGN §7 "Merge").
     * A stream is left as it is when its ranges are not those that were read any more: others have trimmed or merged it, or it is gone.
     * Any live node may do it, and doing it twice does no harm. NOT_FOUND when the object's time was over.
     */
    record PublishMerge(int nodeId, long nodeEpoch, long objectId, long objectBytes, List<MergedRange> ranges)
            implements Command<Done> {
        public static final int RANGES_MAX = 100_000;

        public PublishMerge {
            ranges = List.copyOf(ranges);
        }
    }

    /**
     * The first ranges of a stream's catalog move to a manifest, an object that lists them (DESIGN §4 "Bounded"). Each must be alone in its
     * object: these are the manifest's own from then on and leave the state. Nothing happens when the stream has changed since: its ranges were
     * merged or trimmed, or another manifest was published. Any live node may do it, and doing it twice does no harm. NOT_FOUND when
     * the object's time was over.
     *
     * @param replacedObjectId the stream's newest manifest, which this one takes the place of; {@link #NO_OBJECT}: of none
     * @param ranges all that the manifest lists: those that count of the one replaced, then the catalog's first
     */
    record PublishManifest(
            int nodeId,
            long nodeEpoch,
            long streamId,
            long objectId,
            long objectBytes,
            long replacedObjectId,
            List<OwnedRange> ranges)
            implements Command<Done> {
        public static final long NO_OBJECT = -1;

        public PublishManifest {
            ranges = List.copyOf(ranges);
        }
    }

    /**
     * The first ranges of a manifest are not needed any more: they end before the stream's log start, or the manifest is retired and these are all
     * of it. Their objects are doomed. Must agree with the manifest's digest; nothing happens when they were released already.
     *
     * @param next the first range that stays, null if none does
     * @param rest the digest of what follows that one
     */
    record ReleaseManifest(
            int nodeId,
            long nodeEpoch,
            long streamId,
            long objectId,
            List<OwnedRange> released,
            @Nullable OwnedRange next,
            long rest)
            implements Command<Done> {
        public ReleaseManifest {
            released = List.copyOf(released);
        }
    }

    record NewRange(
            long streamId,
            long baseOffset,
            long endOffset,
            long position,
            int length,
            long maxEventTimeMs,
            long maxAppendTimeMs) {}

    record NewCheckpoint(long streamId, long offset, long position, int length) {}

    /** The store no longer has these doomed objects. */
    record ForgetObjects(List<Long> objectIds) implements Command<Done> {
        public ForgetObjects {
            objectIds = List.copyOf(objectIds);
        }
    }

    /** Dooms prepared objects whose time is over; submitted by the active controller itself. */
    record ExpireObjects(List<Long> objectIds) implements Command<Done> {
        public ExpireObjects {
            objectIds = List.copyOf(objectIds);
        }
    }
}
