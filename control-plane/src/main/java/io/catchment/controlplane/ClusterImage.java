package io.catchment.controlplane;

import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.image.MetadataImage;

/** An immutable view of the whole state as of one offset of the control log. Cheap to hold; lookups are O(log n) or better. */
public interface ClusterImage {

    /** Of the last record replayed into this image; -1 before the first. */
    long offset();

    String clusterId();

    /**
     * Which history of this cluster id it is: drawn when its first controller formed it, or by the recovery that began it anew, and never
     * changed. Two with different ids know nothing of each other: their numbers of objects and extents mean different things. Zero if a
     * version formed it that drew none; empty while nothing of the state is known.
     */
    default Optional<Uuid> historyId() {
        return Optional.empty();
    }

    /** The active controller's node id as this node knows it, or -1. */
    int controllerId();

    Collection<NodeState> nodes();

    Optional<NodeState> node(int nodeId);

    Collection<TopicState> topics();

    Optional<TopicState> topic(String name);

    Optional<TopicState> topic(Uuid topicId);

    Optional<StreamState> stream(long streamId);

    Collection<StreamState> streams();

    Optional<ExtentState> extent(long extentId);

    Collection<ExtentState> extents();

    Optional<ObjectState> object(long objectId);

    Collection<ObjectState> objects();

    /** No object id below this one will be given out again. More than any id among {@link #objects}. */
    default long nextObjectId() {
        return 1 + objects().stream().mapToLong(ObjectState::objectId).max().orElse(-1);
    }

    /**
     * Manifests whose ranges nobody needs any more: whoever has read one names its objects with {@link Command.ReleaseManifest}, so that
     * they can be deleted. A change comes as a change of the manifest's object.
     */
    default Collection<ManifestRef> retiredManifests() {
        return List.of();
    }

    /** Work that nodes have been given: see {@link TaskState}. A change of one comes as a change of its extent. */
    default Collection<TaskState> tasks() {
        return List.of();
    }

    /**
     * The writers whose epoch is over and of whose extents some are not sealed: no stream with one of them among its
     * {@link StreamState#writers} can be opened yet, since its end is not known. O(extents): ask once for many streams.
     */
    default Set<StreamState.Writer> writersUnderRecovery() {
        Set<StreamState.Writer> writers = new HashSet<>();
        for (ExtentState extent : extents()) {
            if (extent.phase() == ExtentState.Phase.RECOVERING) {
                writers.add(new StreamState.Writer(extent.writerNodeId(), extent.writerEpoch()));
            }
        }
        return writers;
    }

    /**
     * Stores that may take the place of lost ones when a recovered extent has too few holders (DESIGN §5): of live nodes that are not
     * being drained, none of the ensemble's nodes; those in zones that the ensemble is not in first.
     */
    default List<ExtentState.Store> standIns(ExtentState extent) {
        Set<Integer> taken = new HashSet<>();
        Set<String> zones = new HashSet<>();
        for (ExtentState.Store store : extent.ensemble()) {
            taken.add(store.nodeId());
            node(store.nodeId()).ifPresent(node -> zones.add(node.zone()));
        }
        return nodes().stream()
                .filter(node -> node.takesMore() && node.has("wal") && !taken.contains(node.nodeId()))
                .sorted(Comparator.<NodeState, Boolean>comparing(node -> zones.contains(node.zone()))
                        .thenComparingInt(NodeState::nodeId))
                .map(node -> new ExtentState.Store(node.nodeId(), node.storeId()))
                .toList();
    }

    /** Explicitly set keys of a resource (types as in Kafka's ConfigResource.Type ids); empty if none. */
    Map<String, String> configs(byte resourceType, String resourceName);

    /** The same topics, partitions, configs and features in Kafka's form. Leader = owner, replicas = owner only. */
    MetadataImage metadata();
}
