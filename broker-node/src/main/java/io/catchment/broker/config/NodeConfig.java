package io.catchment.broker.config;

import io.catchment.broker.compaction.CompactionSettings;
import io.catchment.broker.fetch.FetchSettings;
import io.catchment.broker.group.GroupSettings;
import io.catchment.broker.merge.MergeSettings;
import io.catchment.broker.network.NetworkLimits;
import io.catchment.broker.quota.QuotaSettings;
import io.catchment.broker.share.state.ShareStateSettings;
import io.catchment.broker.topic.TopicSchema;
import io.catchment.broker.transaction.TransactionSettings;
import io.catchment.objectstore.transfer.TransferSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.config.ConfigDef;

/**
 * The configuration of a node, parsed and checked. Immutable. Where a component has a record of its own for its settings,
 * this holds that record, already made.
 *
 * @param clusterId empty: invented by the first controller at its first start
 * @param zone empty if none is set
 * @param eventLoops 0: choose
 * @param written the keys as their owner wrote them, for DescribeConfigs
 */
public record NodeConfig(
        int nodeId,
        Set<NodeRole> roles,
        String zone,
        Path directory,
        Optional<String> clusterId,
        int eventLoops,
        Listeners listeners,
        NetworkLimits network,
        Http http,
        Control control,
        WalSettings wal,
        Store store,
        Reads reads,
        Topics topics,
        GroupSettings groups,
        TransactionSettings transactions,
        QuotaSettings quotas,
        ShareStateSettings shares,
        Map<String, String> written) {

    public NodeConfig {
        roles = Set.copyOf(roles);
        written = Map.copyOf(written);
    }

    /** @throws InvalidNodeConfigException with all mistakes */
    public static NodeConfig of(Map<String, String> properties) {
        return new NodeConfigParser(properties).parse();
    }

    /** Every key there is, with its documentation. */
    public static ConfigDef keys() {
        return NodeKeys.all();
    }

    /** Files of the write-ahead log. */
    public Path walDirectory() {
        return directory.resolve("wal");
    }

    /** Files of the control plane's log. */
    public Path controlDirectory() {
        return directory.resolve("control");
    }

    /** What does not outlive the process. */
    public Path scratchDirectory() {
        return directory.resolve("scratch");
    }

    public boolean has(NodeRole role) {
        return roles.contains(role);
    }

    /** @param port 0: a free one */
    public record Http(String host, int port) {}

    /** @param bootstrap {@code host:port} of controllers; may be empty on the only one */
    public record Control(
            List<String> bootstrap,
            boolean autoJoin,
            int electionTimeoutMs,
            int fetchTimeoutMs,
            int requestTimeoutMs,
            long leaseMs,
            long heartbeatMs,
            int commandTimeoutMs) {
        public Control {
            bootstrap = List.copyOf(bootstrap);
        }
    }

    /**
     * @param replicas R, nodes that an extent is written to
     * @param ackQuorum A, of them must have synced what is acknowledged
     * @param queueBytes accepted and not acknowledged, per lane
     * @param hotBytes of flushed extents kept for reading
     * @param reserveBytes of the disk, for urgent and internal topics only
     * @param acceptLoss start although unflushed extents are lost
     */
    public record WalSettings(
            int replicas,
            int ackQuorum,
            long extentBytes,
            long rollMs,
            long queueBytes,
            long hotBytes,
            long reserveBytes,
            boolean acceptLoss) {}

    /**
     * @param uri file:///DIR or s3://BUCKET/PREFIX
     * @param settings by the names that the object store's own URI query has, secrets in the clear
     * @param uploadLimitMs time limit of an object's id until it is published
     * @param deleteGraceMs how long an object without a reference is kept
     * @param snapshotMs between two snapshots of the state
     * @param checkMs between two looks whose the bucket is
     */
    public record Store(
            String uri,
            Map<String, String> settings,
            int flushConcurrency,
            long uploadLimitMs,
            long deleteGraceMs,
            MergeSettings merge,
            TransferSettings transfers,
            CompactionSettings compaction,
            long snapshotMs,
            long checkMs) {
        public Store {
            settings = Map.copyOf(settings);
        }

        /** Without the settings, among which are secrets. */
        @Override
        public String toString() {
            int query = uri.indexOf('?');
            return query < 0 ? uri : uri.substring(0, query);
        }
    }

    /** @param nearest consumers may read from a node in their zone (KIP-392) */
    public record Reads(long tailCacheBytes, long blockCacheBytes, FetchSettings fetch, boolean nearest) {}

    /**
     * @param retentionCheckMs how often retention is applied
     * @param schema knows the defaults of all topic keys, as this node sets them
     */
    public record Topics(
            int partitions,
            int replicationFactor,
            boolean autoCreate,
            int producerIdExpirationMs,
            long retentionCheckMs,
            TopicSchema schema) {}
}
