package io.catchment.broker.config;

import static org.apache.kafka.common.config.ConfigDef.Range.atLeast;
import static org.apache.kafka.common.config.ConfigDef.Range.between;

import io.catchment.broker.bucket.BucketOwner;
import io.catchment.broker.compaction.CompactionSettings;
import io.catchment.broker.group.GroupSettings;
import io.catchment.broker.quota.QuotaSettings;
import io.catchment.broker.share.state.ShareStateSettings;
import io.catchment.broker.transaction.TransactionSettings;
import io.catchment.objectstore.transfer.TransferSettings;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Validator;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;
import org.apache.kafka.coordinator.share.ShareCoordinatorConfig;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.ServerTopicConfigSynonyms;
import org.apache.kafka.storage.internals.log.CleanerConfig;
import org.jspecify.annotations.Nullable;

/** Every key a node's configuration may have, with type, default and documentation. The table in the README is made from this. */
final class NodeKeys {
    static final String NODE_ID = "node.id";
    static final String PROCESS_ROLES = "process.roles";
    static final String NODE_ZONE = "node.zone";
    static final String BROKER_RACK = "broker.rack";
    static final String DIR = "catchment.dir";
    static final String CLUSTER_ID = "catchment.cluster.id";
    static final String LOOPS = "catchment.event.loops";

    static final String LISTENERS = "listeners";
    static final String ADVERTISED_LISTENERS = "advertised.listeners";
    static final String SECURITY_PROTOCOL_MAP = "listener.security.protocol.map";
    static final String CONTROLLER_LISTENER_NAMES = "controller.listener.names";
    static final String REQUEST_BYTES_MAX = "socket.request.max.bytes";
    static final String QUEUED_REQUEST_BYTES_MAX = "queued.max.request.bytes";
    static final String CONNECTION_IDLE_MS = "connections.max.idle.ms";
    static final String CONNECTIONS_MAX = "max.connections";
    static final String PIPELINED_REQUESTS_MAX = "catchment.connection.requests.max";
    static final String UNSENT_RESPONSE_BYTES_MAX = "catchment.unsent.response.max.bytes";
    static final String HTTP_HOST = "catchment.http.host";
    static final String HTTP_PORT = "catchment.http.port";

    static final String BOOTSTRAP_SERVERS = "controller.quorum.bootstrap.servers";
    static final String AUTO_JOIN = "controller.quorum.auto.join.enable";
    static final String ELECTION_TIMEOUT_MS = "controller.quorum.election.timeout.ms";
    static final String FETCH_TIMEOUT_MS = "controller.quorum.fetch.timeout.ms";
    static final String QUORUM_REQUEST_TIMEOUT_MS = "controller.quorum.request.timeout.ms";
    static final String LEASE_MS = "node.lease.ms";
    static final String HEARTBEAT_MS = "node.heartbeat.ms";
    static final String COMMAND_TIMEOUT_MS = "request.timeout.ms";

    static final String EXTENT_BYTES = "catchment.wal.extent.bytes";
    static final String ROLL_MS = "catchment.wal.roll.ms";
    static final String WAL_QUEUE_BYTES = "catchment.wal.queue.bytes";
    static final String HOT_BYTES = "catchment.wal.hot.bytes";
    static final String RESERVE_BYTES = "catchment.wal.reserve.bytes";
    static final String WAL_LISTENER_NAME = "catchment.wal.listener.name";
    static final String WAL_REPLICAS = "catchment.wal.replicas";
    static final String WAL_ACK_QUORUM = "catchment.wal.ack.quorum";
    static final String ACCEPT_LOSS = "catchment.wal.accept.loss";

    static final String OBJECT_STORE = "catchment.object.store";
    static final String S3_PREFIX = "catchment.s3.";
    static final String FLUSH_CONCURRENCY = "catchment.flush.concurrency";
    static final String UPLOAD_LIMIT_MS = "catchment.object.upload.limit.ms";
    static final String DELETE_GRACE_MS = "catchment.object.delete.grace.ms";
    static final String MERGE_BYTES_PER_SECOND = "catchment.merge.bytes.per.second";
    static final String TRANSFER_CONCURRENCY = "catchment.transfer.concurrency";
    static final String TRANSFER_UP = "catchment.transfer.up.bytes.per.second";
    static final String TRANSFER_DOWN = "catchment.transfer.down.bytes.per.second";
    static final String MERGE_FAN_IN = "catchment.merge.fan.in";
    static final String MERGE_LOOK_MS = "catchment.merge.look.ms";
    static final String STATE_SNAPSHOT_MS = "catchment.state.snapshot.ms";
    static final String BUCKET_CHECK_MS = "catchment.bucket.check.ms";

    static final String CLEANER_ENABLE = "log.cleaner.enable";
    static final String DEDUPE_BUFFER_BYTES = CleanerConfig.LOG_CLEANER_DEDUPE_BUFFER_SIZE_PROP;
    static final String DEDUPE_LOAD_FACTOR = CleanerConfig.LOG_CLEANER_DEDUPE_BUFFER_LOAD_FACTOR_PROP;
    static final String DIRTY_BYTES_MIN = "catchment.compaction.dirty.min.bytes";
    static final String DIRTY_RANGES_MIN = "catchment.compaction.dirty.min.ranges";

    static final String TAIL_CACHE_BYTES = "catchment.tail.cache.bytes";
    static final String BLOCK_CACHE_BYTES = "catchment.block.cache.bytes";
    static final String FETCH_BYTES_MAX = "fetch.max.bytes";
    static final String FETCH_SESSIONS_MAX = "max.incremental.fetch.session.cache.slots";
    static final String REPLICA_SELECTOR_CLASS = "replica.selector.class";

    static final String NUM_PARTITIONS = "num.partitions";
    static final String AUTO_CREATE = "auto.create.topics.enable";
    static final String DEFAULT_REPLICATION_FACTOR = "default.replication.factor";
    static final String PRODUCER_ID_EXPIRATION_MS = "producer.id.expiration.ms";
    static final String RETENTION_CHECK_MS = "log.retention.check.interval.ms";

    /** Topic keys about the files of Kafka's log, about replicas and about tiers, which are all different here. */
    private static final List<String> NOT_HERE =
            List.of("segment.", "flush.", "index.", "preallocate", "file.", "unclean.", "local.", "remote.");

    private static final ConfigDef ALL = new NodeKeys().build();

    private final ConfigDef keys = new ConfigDef();
    private int order;

    private NodeKeys() {}

    static ConfigDef all() {
        return ALL;
    }

    /** What a key means; it must exist. */
    static String meaning(String name) {
        return Objects.requireNonNull(ALL.configKeys().get(name), name).documentation;
    }

    private ConfigDef build() {
        node();
        network();
        control();
        wal();
        store();
        read();
        topics();
        groups();
        transactions();
        quotas();
        shares();
        return keys;
    }

    private void node() {
        KeyGroup g = KeyGroup.NODE;
        required(
                g,
                NODE_ID,
                ConfigDef.Type.INT,
                atLeast(0),
                "Number of this node, different from all others of the cluster.");
        key(
                g,
                PROCESS_ROLES,
                ConfigDef.Type.LIST,
                List.of("broker", "wal", "controller"),
                ConfigDef.ValidList.in(false, "broker", "wal", "controller"),
                "What this node does: `broker` serves clients, `wal` keeps replicas of the write-ahead log, `controller` takes part in"
                        + " the control plane's quorum.");
        key(
                g,
                NODE_ZONE,
                ConfigDef.Type.STRING,
                null,
                null,
                "Failure domain of this node, for example its rack or availability zone: copies of acknowledged data go to different"
                        + " zones. Clients see it as the rack.");
        key(g, BROKER_RACK, ConfigDef.Type.STRING, null, null, "Kafka's name for `node.zone`.");
        required(
                g,
                DIR,
                ConfigDef.Type.STRING,
                new ConfigDef.NonEmptyString(),
                "Directory of this node's files: `wal/` (wants the fast disk) and `control/`.");
        key(
                g,
                CLUSTER_ID,
                ConfigDef.Type.STRING,
                null,
                null,
                "Identity of the cluster, the same on all nodes. Unset: the first controller invents one at its first start.");
        key(
                g,
                LOOPS,
                ConfigDef.Type.INT,
                0,
                between(0, 256),
                "Event loops that serve connections and partitions. 0: one per core, at most four.");
    }

    private void network() {
        KeyGroup g = KeyGroup.NETWORK;
        key(
                g,
                LISTENERS,
                ConfigDef.Type.LIST,
                List.of("PLAINTEXT://:9092"),
                null,
                "Where this node listens, as `NAME://HOST:PORT`, separated by commas. No host: all addresses. Port 0: a free one.");
        key(
                g,
                ADVERTISED_LISTENERS,
                ConfigDef.Type.LIST,
                null,
                null,
                "What clients are told to connect to, if it differs from `listeners`.");
        key(
                g,
                SECURITY_PROTOCOL_MAP,
                ConfigDef.Type.STRING,
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                null,
                "Security protocol of each listener, as `NAME:PROTOCOL`. Only PLAINTEXT is there today; a listener that is not named"
                        + " is PLAINTEXT.");
        key(
                g,
                CONTROLLER_LISTENER_NAMES,
                ConfigDef.Type.LIST,
                List.of("CONTROLLER"),
                null,
                "Names of the listeners for the control plane's own traffic. The first one counts.");
        kafka(g, REQUEST_BYTES_MAX, null, "Largest request, in bytes; a larger one closes its connection.");
        key(
                g,
                QUEUED_REQUEST_BYTES_MAX,
                ConfigDef.Type.LONG,
                256L << 20,
                atLeast(1),
                "Requests in memory over all connections, in bytes. Beyond it sockets are not read. At least"
                        + " `socket.request.max.bytes`.");
        key(
                g,
                CONNECTION_IDLE_MS,
                ConfigDef.Type.LONG,
                600_000L,
                atLeast(1),
                "A connection without traffic and without an open request for this long is closed. One request may take no longer"
                        + " than this to arrive.");
        key(
                g,
                CONNECTIONS_MAX,
                ConfigDef.Type.INT,
                Integer.MAX_VALUE,
                atLeast(1),
                "Connections over all listeners; a further one is closed at once.");
        key(
                g,
                PIPELINED_REQUESTS_MAX,
                ConfigDef.Type.INT,
                64,
                atLeast(1),
                "Requests of one connection that are worked on at a time; beyond it its socket is not read.");
        key(
                g,
                UNSENT_RESPONSE_BYTES_MAX,
                ConfigDef.Type.LONG,
                512L << 20,
                atLeast(1),
                "Answers that slow clients have not read yet, over all connections, in bytes. Beyond it no further fetch is begun.");
        key(
                g,
                HTTP_HOST,
                ConfigDef.Type.STRING,
                null,
                null,
                "Address of `/metrics`, `/healthz` and `/readyz`. Unset: the host of the first listener.");
        key(g, HTTP_PORT, ConfigDef.Type.INT, 9094, between(0, 65_535), "Port of the same. 0: a free one.");
    }

    private void control() {
        KeyGroup g = KeyGroup.CONTROL;
        key(
                g,
                BOOTSTRAP_SERVERS,
                ConfigDef.Type.LIST,
                List.of(),
                null,
                "`HOST:PORT` of all controllers' controller listeners, separated by commas, the same on all nodes. The first one forms"
                        + " the cluster if none of the others knows of one, the others join it. May be empty on the only controller.");
        key(
                g,
                AUTO_JOIN,
                ConfigDef.Type.BOOLEAN,
                true,
                null,
                "Whether a controller that is no voter asks the quorum to become one. Its entry of an earlier disk leaves the quorum"
                        + " then.");
        key(
                g,
                ELECTION_TIMEOUT_MS,
                ConfigDef.Type.INT,
                300,
                atLeast(50),
                "How long a controller waits for votes before it tries again.");
        key(
                g,
                FETCH_TIMEOUT_MS,
                ConfigDef.Type.INT,
                1_000,
                atLeast(700),
                "After this long without word from the leader a controller stands for election. A fetch may wait 500 ms at the leader,"
                        + " hence the minimum.");
        key(
                g,
                QUORUM_REQUEST_TIMEOUT_MS,
                ConfigDef.Type.INT,
                1_000,
                atLeast(100),
                "How long a request between controllers may take.");
        key(
                g,
                LEASE_MS,
                ConfigDef.Type.LONG,
                2_000L,
                atLeast(100),
                "A node that was not heard of for this long is fenced.");
        key(g, HEARTBEAT_MS, ConfigDef.Type.LONG, 150L, atLeast(10), "How often a node lets itself be heard.");
        key(
                g,
                COMMAND_TIMEOUT_MS,
                ConfigDef.Type.INT,
                30_000,
                atLeast(100),
                "How long a change of cluster state (a topic, a configuration) may take before its client hears of a timeout.");
    }

    private void wal() {
        KeyGroup g = KeyGroup.WAL;
        key(
                g,
                WAL_LISTENER_NAME,
                ConfigDef.Type.STRING,
                "WAL",
                new ConfigDef.NonEmptyString(),
                "Name of the listener for replication between nodes. A node whose `listeners` have none of this name is alone.");
        key(
                g,
                WAL_REPLICAS,
                ConfigDef.Type.INT,
                null,
                null,
                "Nodes that each extent is written to (R), the same on all nodes. Unset: 3 with a listener for replication, else 1.");
        key(
                g,
                WAL_ACK_QUORUM,
                ConfigDef.Type.INT,
                null,
                null,
                "How many of them must have synced a record before it is acknowledged (A). Unset: the majority. R - A nodes may lose"
                        + " their disks at the same moment without loss.");
        key(
                g,
                EXTENT_BYTES,
                ConfigDef.Type.LONG,
                64L << 20,
                between(1L << 20, 512L << 20),
                "An extent of this many bytes is sealed, and flushed to the object store.");
        key(
                g,
                ROLL_MS,
                ConfigDef.Type.LONG,
                10_000L,
                atLeast(100),
                "An extent whose first record is this old is sealed even if it is smaller: how long acknowledged records may wait"
                        + " for the object store.");
        key(
                g,
                WAL_QUEUE_BYTES,
                ConfigDef.Type.LONG,
                256L << 20,
                atLeast(1L << 20),
                "Accepted and not yet acknowledged, per lane, in bytes. Beyond it producers get a retriable error.");
        key(
                g,
                HOT_BYTES,
                ConfigDef.Type.LONG,
                2L << 30,
                atLeast(0),
                "Flushed extents are kept on this node's disk up to this many bytes, to be read from there, as long as the disk has"
                        + " room. Their files are then used again: a window that fits into the page cache costs least.");
        key(
                g,
                RESERVE_BYTES,
                ConfigDef.Type.LONG,
                1L << 30,
                atLeast(0),
                "Of the disk that only urgent and internal topics may take.");
        key(
                g,
                ACCEPT_LOSS,
                ConfigDef.Type.BOOLEAN,
                false,
                null,
                "Starts a node although extents that were not flushed lie on a WAL directory that is gone: acknowledged records in"
                        + " them are given up, with an ERROR line for each extent; their offsets stay empty. Set it for one start only.");
    }

    private void store() {
        KeyGroup g = KeyGroup.STORE;
        required(
                g,
                OBJECT_STORE,
                ConfigDef.Type.STRING,
                new ConfigDef.NonEmptyString(),
                "The bucket or directory for all data: `s3://BUCKET/PREFIX` (settings may follow as `?endpoint=URL&region=NAME&"
                        + "path-style=true`) or `file:///DIR`. All nodes of a cluster name the same.");
        s3("endpoint", ConfigDef.Type.STRING, "URL of an S3-compatible server. Unset: AWS.");
        s3(
                "region",
                ConfigDef.Type.STRING,
                "Region. Unset: as the AWS SDK finds it, or us-east-1 if there is an endpoint.");
        s3(
                "path-style",
                ConfigDef.Type.BOOLEAN,
                "Whether the bucket stands in the path, not in the host name. Unset: true with an endpoint.");
        s3("access-key-id", ConfigDef.Type.STRING, "Unset: credentials as the AWS SDK finds them.");
        s3("secret-access-key", ConfigDef.Type.PASSWORD, "Belongs to the access key.");
        s3("session-token", ConfigDef.Type.PASSWORD, "Of temporary credentials.");
        s3("sse", ConfigDef.Type.STRING, "Server-side encryption of what is written: `none`, `s3` or `kms`.");
        s3("sse-kms-key-id", ConfigDef.Type.STRING, "Key for `kms`. Unset: the bucket's default key.");
        s3(
                "checksums",
                ConfigDef.Type.STRING,
                "The protocol's own checksums: `when-supported` or `when-required`. Every block has ours anyway.");
        key(g, FLUSH_CONCURRENCY, ConfigDef.Type.INT, 2, between(1, 64), "Extents that are flushed at a time.");
        key(
                g,
                UPLOAD_LIMIT_MS,
                ConfigDef.Type.LONG,
                3_600_000L,
                between(1_000, 86_400_000),
                "An object that is not published this long after its id was taken is deleted: what a crash between upload and"
                        + " publication left. More than twice what the slowest upload takes.");
        key(
                g,
                DELETE_GRACE_MS,
                ConfigDef.Type.LONG,
                60_000L,
                between(0, 86_400_000),
                "How long an object that nothing refers to any more is kept for readers under way.");
        key(
                g,
                TRANSFER_CONCURRENCY,
                ConfigDef.Type.INT,
                TransferSettings.DEFAULT.places(),
                between(TransferSettings.PLACES_MIN, 256),
                "Transfers to the object store at a time, and as many from it. Who comes first: flushes of urgent, normal, bulk topics,"
                        + " readers at the tail, readers that catch up, merges; each of them gets a least share.");
        key(
                g,
                TRANSFER_UP,
                ConfigDef.Type.LONG,
                TransferSettings.DEFAULT.upBytesPerSecond(),
                atLeast(0),
                "What this node sends to the object store at most, on average; 0: no bound.");
        key(
                g,
                TRANSFER_DOWN,
                ConfigDef.Type.LONG,
                TransferSettings.DEFAULT.downBytesPerSecond(),
                atLeast(0),
                "What this node reads from the object store at most, on average; 0: no bound.");
        key(
                g,
                MERGE_BYTES_PER_SECOND,
                ConfigDef.Type.LONG,
                32L << 20,
                atLeast(0),
                "How fast small ranges of published objects are merged into large ones, by each node, on average; 0: not at all.");
        key(
                g,
                MERGE_LOOK_MS,
                ConfigDef.Type.LONG,
                30_000L,
                between(100, 3_600_000),
                "How often a node looks for something to merge.");
        key(
                g,
                STATE_SNAPSHOT_MS,
                ConfigDef.Type.LONG,
                60_000L,
                between(500, 86_400_000),
                "How often the cluster's state is written to the object store when it has changed; soon after a topic or a configuration"
                        + " was changed in any case. `catchment recover` begins with the newest. Deleted objects are kept until it was"
                        + " written three times.");
        key(
                g,
                BUCKET_CHECK_MS,
                ConfigDef.Type.LONG,
                5_000L,
                between(100, BucketOwner.CHECK_MS_MAX),
                "How often a node looks whether another cluster has taken the object store over. For three times as long it may write"
                        + " without having been able to look, and for a tenth more a recovery waits.");
        key(
                g,
                MERGE_FAN_IN,
                ConfigDef.Type.INT,
                256,
                between(2, 10_000),
                "Ranges of a stream that make one. With more of them a record is written to the store again less often, and the"
                        + " catalog is longer.");
        kafka(
                g,
                CLEANER_ENABLE,
                null,
                "Whether topics with `cleanup.policy=compact` are compacted. It shares the rate of the merges, so with that at 0 nothing is.");
        kafka(
                g,
                DEDUPE_BUFFER_BYTES,
                CompactionSettings.DEFAULT.dedupeBufferBytes(),
                "Upper bound of the memory for keys, in bytes: 24 for each key. It is taken only while a partition is compacted; one with more new"
                        + " keys is compacted in several passes.");
        kafka(g, DEDUPE_LOAD_FACTOR, null, "How full that memory may get.");
        key(
                g,
                DIRTY_BYTES_MIN,
                ConfigDef.Type.LONG,
                CompactionSettings.DEFAULT.dirtyBytesMin(),
                atLeast(0),
                "A partition with less than this to compact waits, unless it has many ranges to compact: each pass writes an object.");
        key(
                g,
                DIRTY_RANGES_MIN,
                ConfigDef.Type.INT,
                CompactionSettings.DEFAULT.dirtyRangesMin(),
                atLeast(1),
                "That many.");
    }

    private void read() {
        KeyGroup g = KeyGroup.READ;
        key(
                g,
                TAIL_CACHE_BYTES,
                ConfigDef.Type.LONG,
                128L << 20,
                atLeast(0),
                "Memory for the newest records, off the heap, over all partitions of this node.");
        key(
                g,
                BLOCK_CACHE_BYTES,
                ConfigDef.Type.LONG,
                256L << 20,
                atLeast(0),
                "Memory for blocks of objects that were read.");
        kafka(g, FETCH_BYTES_MAX, null, "Record bytes of one fetch answer, whatever the client asks for.");
        kafka(g, FETCH_SESSIONS_MAX, null, "Incremental fetch sessions that are kept.");
        kafka(
                g,
                REPLICA_SELECTOR_CLASS,
                null,
                "Where consumers with a `client.rack` read (KIP-392): the partition's owner; with"
                        + " `org.apache.kafka.common.replica.RackAwareReplicaSelector`, the only class that is accepted,"
                        + " a node in the zone of that name if there is one. Set it alike on all nodes.");
    }

    private void topics() {
        KeyGroup g = KeyGroup.TOPICS;
        kafka(g, NUM_PARTITIONS, null, "Partitions of a topic that is created without a number.");
        kafka(
                g,
                DEFAULT_REPLICATION_FACTOR,
                null,
                "Accepted as in Kafka; a partition always reports one replica, its owner.");
        kafka(g, AUTO_CREATE, null, "Whether a topic is created when a client asks for one that does not exist.");
        kafka(g, PRODUCER_ID_EXPIRATION_MS, null, null);
        kafka(g, RETENTION_CHECK_MS, null, "How often streams are looked through for what retention lets go.");
        Set<String> names = new TreeSet<>();
        ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS.forEach((topicKey, synonyms) -> {
            if (NOT_HERE.stream().noneMatch(topicKey::startsWith)) {
                synonyms.forEach(synonym -> names.add(synonym.name()));
            }
        });
        names.forEach(name -> kafka(g, name, null, null));
    }

    private void groups() {
        new TreeMap<>(GroupSettings.definition().configKeys()).forEach((name, key) -> {
            if (isServedGroupKey(name)) {
                add(KeyGroup.GROUPS, key, key.defaultValue, key.documentation);
            }
        });
    }

    private void transactions() {
        new TreeMap<>(TransactionSettings.definition().configKeys())
                .forEach((name, key) -> add(KeyGroup.TRANSACTIONS, key, key.defaultValue, key.documentation));
    }

    private void quotas() {
        new TreeMap<>(QuotaSettings.definition().configKeys())
                .forEach((name, key) -> add(KeyGroup.QUOTAS, key, key.defaultValue, key.documentation));
    }

    private void shares() {
        new TreeMap<>(ShareStateSettings.definition().configKeys()).forEach((name, key) -> {
            if (!name.equals(ShareCoordinatorConfig.STATE_TOPIC_MIN_ISR_CONFIG)) {
                add(KeyGroup.SHARES, key, key.defaultValue, key.documentation);
            }
        });
    }

    /** Queues for dead letters are not served yet; share groups keep their state in one way only, and wait in one way. */
    private static boolean isServedGroupKey(String name) {
        return !name.startsWith("share.")
                && !name.startsWith("errors.")
                && !name.equals(ShareGroupConfig.SHARE_GROUP_PERSISTER_CLASS_NAME_CONFIG)
                && !name.equals(ShareGroupConfig.SHARE_GROUP_DLQ_MANAGER_CLASS_NAME_CONFIG);
    }

    // ---- how keys are defined

    private void required(KeyGroup group, String name, ConfigDef.Type type, Validator validator, String what) {
        key(group, name, type, ConfigDef.NO_DEFAULT_VALUE, validator, what);
    }

    private void s3(String name, ConfigDef.Type type, String what) {
        key(KeyGroup.STORE, S3_PREFIX + name, type, null, null, what);
    }

    private void key(
            KeyGroup group,
            String name,
            ConfigDef.Type type,
            @Nullable Object defaultValue,
            @Nullable Validator validator,
            String what) {
        keys.define(
                name,
                type,
                defaultValue,
                validator,
                Importance.MEDIUM,
                what,
                group.title,
                order++,
                ConfigDef.Width.NONE,
                name);
    }

    /** A key with Kafka's type and rules; {@code null} means Kafka's default or documentation as well. */
    private void kafka(KeyGroup group, String name, @Nullable Object defaultValue, @Nullable String what) {
        ConfigKey key = AbstractKafkaConfig.CONFIG_DEF.configKeys().get(name);
        if (key == null) {
            throw new IllegalStateException("Kafka has no key " + name);
        }
        add(
                group,
                key,
                defaultValue == null ? key.defaultValue : defaultValue,
                what == null ? key.documentation : what);
    }

    private void add(KeyGroup group, ConfigKey key, @Nullable Object defaultValue, String what) {
        if (!keys.configKeys().containsKey(key.name)) {
            keys.define(
                    key.name,
                    key.type,
                    defaultValue,
                    key.validator,
                    key.importance,
                    what,
                    group.title,
                    order++,
                    ConfigDef.Width.NONE,
                    key.name);
        }
    }
}
