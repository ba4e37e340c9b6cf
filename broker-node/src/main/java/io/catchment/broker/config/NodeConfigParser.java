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
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.replica.RackAwareReplicaSelector;
import org.jspecify.annotations.Nullable;

/** Reads one node's properties, and gathers everything that is wrong with them before it complains. Used once, by one thread. */
final class NodeConfigParser {
    private static final int REPLICAS_MAX = 7;

    private final Map<String, String> properties;
    private final List<String> problems = new ArrayList<>();
    private Map<String, Object> values = Map.of();

    NodeConfigParser(Map<String, String> properties) {
        this.properties = Map.copyOf(properties);
    }

    NodeConfig parse() {
        checkKeys();
        checkValues();
        complain();
        values = NodeKeys.all().parse(properties);
        Listeners listeners = Listeners.parse(
                list(NodeKeys.LISTENERS),
                list(NodeKeys.ADVERTISED_LISTENERS),
                list(NodeKeys.CONTROLLER_LISTENER_NAMES),
                string(NodeKeys.WAL_LISTENER_NAME),
                string(NodeKeys.SECURITY_PROTOCOL_MAP),
                problems);
        Set<NodeRole> roles = roles();
        NodeConfig.Control control = control();
        checkRoles(roles, listeners, control);
        checkCluster(roles, listeners, control);
        checkObjectStore();
        Path directory = directory();
        String zone = zone();
        NetworkLimits network = part(NodeKeys.QUEUED_REQUEST_BYTES_MAX, this::network);
        TopicSchema schema = part("defaults of topics", () -> new TopicSchema(properties));
        GroupSettings groups = part("consumer groups", () -> GroupSettings.of(properties));
        QuotaSettings quotas = part("quotas", () -> QuotaSettings.of(properties));
        TransactionSettings transactions = part("transactions", () -> TransactionSettings.of(properties));
        ShareStateSettings shares = part("share groups", () -> ShareStateSettings.of(properties));
        NodeConfig.WalSettings wal = part(NodeKeys.WAL_REPLICAS, () -> wal(listeners));
        boolean nearest = nearest(zone);
        complain();
        return new NodeConfig(
                integer(NodeKeys.NODE_ID),
                roles,
                zone,
                directory,
                Optional.ofNullable(text(NodeKeys.CLUSTER_ID)),
                integer(NodeKeys.LOOPS),
                listeners,
                there(network),
                http(listeners),
                control,
                there(wal),
                store(),
                reads(nearest),
                topics(there(schema)),
                there(groups),
                there(transactions),
                there(quotas),
                there(shares),
                properties);
    }

    // ---- checks

    private void checkKeys() {
        for (String key : new TreeSet<>(properties.keySet())) {
            if (!NodeKeys.all().configKeys().containsKey(key)) {
                problems.add(UnknownKeys.describe(key));
            }
        }
    }

    private void checkValues() {
        for (ConfigValue value : NodeKeys.all().validate(properties)) {
            if (!properties.containsKey(value.name()) && !value.errorMessages().isEmpty()) {
                problems.add(value.name() + ": must be set. " + NodeKeys.meaning(value.name()));
            } else {
                value.errorMessages().stream().findFirst().ifPresent(problems::add);
            }
        }
    }

    private void checkRoles(Set<NodeRole> roles, Listeners listeners, NodeConfig.Control control) {
        if (roles.contains(NodeRole.BROKER) && listeners.clients().isEmpty()) {
            problems.add(NodeKeys.LISTENERS + ": a broker needs a listener for clients, for example PLAINTEXT://:9092");
        }
        if (roles.contains(NodeRole.CONTROLLER) && listeners.controller().isEmpty()) {
            problems.add(NodeKeys.LISTENERS + ": a controller needs a listener named " + listeners.controllerName()
                    + " (see " + NodeKeys.CONTROLLER_LISTENER_NAMES + "), for example " + listeners.controllerName()
                    + "://:9093");
        }
        if (!roles.contains(NodeRole.CONTROLLER) && control.bootstrap().isEmpty()) {
            problems.add(NodeKeys.BOOTSTRAP_SERVERS + ": must be set on a node without the controller role");
        }
        for (String server : control.bootstrap()) {
            if (!server.matches("(\\[[^]]+]|[^:\\[\\]]+):[0-9]{1,5}")) {
                problems.add(NodeKeys.BOOTSTRAP_SERVERS + " = " + server + ": write HOST:PORT");
            }
        }
        if (control.leaseMs() < 2 * control.heartbeatMs()) {
            problems.add(
                    NodeKeys.LEASE_MS + " = " + control.leaseMs() + ": must be at least twice " + NodeKeys.HEARTBEAT_MS
                            + " = " + control.heartbeatMs() + ", or one late heartbeat fences the node");
        }
    }

    private void checkCluster(Set<NodeRole> roles, Listeners listeners, NodeConfig.Control control) {
        if (control.bootstrap().size() > 1 && text(NodeKeys.CLUSTER_ID) == null) {
            problems.add(
                    NodeKeys.CLUSTER_ID + ": must be set, the same on all nodes, when there are several controllers");
        }
        Optional<String> own = listeners.controllerTold().map(Listener::address);
        if (roles.contains(NodeRole.CONTROLLER)
                && !control.bootstrap().isEmpty()
                && own.isPresent()
                && !control.bootstrap().contains(own.get())) {
            problems.add(NodeKeys.BOOTSTRAP_SERVERS + " = " + String.join(",", control.bootstrap())
                    + ": must name this controller too, as " + own.get() + " (see " + NodeKeys.LISTENERS + " and "
                    + NodeKeys.ADVERTISED_LISTENERS + ")");
        }
    }

    private void checkObjectStore() {
        String uri = string(NodeKeys.OBJECT_STORE);
        String scheme;
        try {
            scheme = URI.create(uri).getScheme();
        } catch (IllegalArgumentException malformed) {
            problems.add(NodeKeys.OBJECT_STORE + " = " + uri + ": " + malformed.getMessage());
            return;
        }
        if (!"file".equals(scheme) && !"s3".equals(scheme)) {
            problems.add(NodeKeys.OBJECT_STORE + " = " + uri + ": write s3://BUCKET/PREFIX or file:///DIR");
        } else if ("file".equals(scheme) && !s3Settings().isEmpty()) {
            problems.add(NodeKeys.S3_PREFIX + "*: a directory as object store has no such settings. Remove them");
        }
    }

    private void complain() {
        if (!problems.isEmpty()) {
            throw new InvalidNodeConfigException(problems);
        }
    }

    /** A component's own checks, as one more problem. */
    private <T> @Nullable T part(String subject, Supplier<T> maker) {
        try {
            return maker.get();
        } catch (KafkaException | IllegalArgumentException e) {
            problems.add(subject + ": " + e.getMessage());
            return null;
        }
    }

    private static <T> T there(@Nullable T part) {
        if (part == null) {
            throw new IllegalStateException("a part is missing although there was no problem");
        }
        return part;
    }

    // ---- parts

    private Set<NodeRole> roles() {
        Set<NodeRole> roles = EnumSet.noneOf(NodeRole.class);
        for (String role : list(NodeKeys.PROCESS_ROLES)) {
            roles.add(NodeRole.valueOf(role.toUpperCase(Locale.ROOT)));
        }
        if (roles.isEmpty()) {
            problems.add(NodeKeys.PROCESS_ROLES + ": must name at least one of broker, wal, controller");
        }
        return roles;
    }

    private String zone() {
        String zone = text(NodeKeys.NODE_ZONE);
        String rack = text(NodeKeys.BROKER_RACK);
        if (zone != null && rack != null && !zone.equals(rack)) {
            problems.add(NodeKeys.BROKER_RACK + " = " + rack + ": means the same as " + NodeKeys.NODE_ZONE + " = "
                    + zone + ". Remove one of them");
        }
        return zone != null ? zone : rack != null ? rack : "";
    }

    private Path directory() {
        Path directory = Path.of(string(NodeKeys.DIR));
        if (!directory.isAbsolute()) {
            problems.add(NodeKeys.DIR + " = " + directory + ": must be an absolute path");
        }
        return directory.normalize();
    }

    private NetworkLimits network() {
        int requestBytes = integer(NodeKeys.REQUEST_BYTES_MAX);
        long queuedBytes = number(NodeKeys.QUEUED_REQUEST_BYTES_MAX);
        if (queuedBytes < requestBytes) {
            throw new IllegalArgumentException(queuedBytes + " is less than " + NodeKeys.REQUEST_BYTES_MAX + " = "
                    + requestBytes + ": the largest request could never be read");
        }
        return new NetworkLimits(
                requestBytes,
                Math.min(requestBytes, NetworkLimits.DEFAULTS.controlRequestBytesMax()),
                queuedBytes,
                integer(NodeKeys.PIPELINED_REQUESTS_MAX),
                number(NodeKeys.UNSENT_RESPONSE_BYTES_MAX),
                integer(NodeKeys.CONNECTIONS_MAX),
                number(NodeKeys.CONNECTION_IDLE_MS),
                NetworkLimits.DEFAULTS.stallMs());
    }

    private NodeConfig.Http http(Listeners listeners) {
        String host = text(NodeKeys.HTTP_HOST);
        if (host == null) {
            host = listeners.clients().stream()
                    .findFirst()
                    .or(listeners::controller)
                    .map(Listener::host)
                    .orElse("");
        }
        return new NodeConfig.Http(host, integer(NodeKeys.HTTP_PORT));
    }

    private NodeConfig.Control control() {
        return new NodeConfig.Control(
                list(NodeKeys.BOOTSTRAP_SERVERS),
                (Boolean) value(NodeKeys.AUTO_JOIN),
                integer(NodeKeys.ELECTION_TIMEOUT_MS),
                integer(NodeKeys.FETCH_TIMEOUT_MS),
                integer(NodeKeys.QUORUM_REQUEST_TIMEOUT_MS),
                number(NodeKeys.LEASE_MS),
                number(NodeKeys.HEARTBEAT_MS),
                integer(NodeKeys.COMMAND_TIMEOUT_MS));
    }

    private NodeConfig.WalSettings wal(Listeners listeners) {
        int replicas = optional(NodeKeys.WAL_REPLICAS).orElse(listeners.wal().isPresent() ? 3 : 1);
        int ackQuorum = optional(NodeKeys.WAL_ACK_QUORUM).orElse(replicas / 2 + 1);
        if (replicas < 1 || replicas > REPLICAS_MAX) {
            throw new IllegalArgumentException(replicas + " is not between 1 and " + REPLICAS_MAX);
        }
        if (ackQuorum < 1 || ackQuorum > replicas) {
            throw new IllegalArgumentException(
                    NodeKeys.WAL_ACK_QUORUM + " = " + ackQuorum + " is not between 1 and " + replicas);
        }
        if (replicas > 1 && listeners.wal().isEmpty()) {
            throw new IllegalArgumentException(
                    replicas + " needs a listener for replication named as " + NodeKeys.WAL_LISTENER_NAME + " says");
        }
        return new NodeConfig.WalSettings(
                replicas,
                ackQuorum,
                number(NodeKeys.EXTENT_BYTES),
                number(NodeKeys.ROLL_MS),
                number(NodeKeys.WAL_QUEUE_BYTES),
                number(NodeKeys.HOT_BYTES),
                number(NodeKeys.RESERVE_BYTES),
                (Boolean) value(NodeKeys.ACCEPT_LOSS));
    }

    private NodeConfig.Store store() {
        return new NodeConfig.Store(
                string(NodeKeys.OBJECT_STORE),
                s3Settings(),
                integer(NodeKeys.FLUSH_CONCURRENCY),
                number(NodeKeys.UPLOAD_LIMIT_MS),
                number(NodeKeys.DELETE_GRACE_MS),
                MergeSettings.DEFAULT
                        .withObjectTtlMs(number(NodeKeys.UPLOAD_LIMIT_MS))
                        .withBytesPerSecond(number(NodeKeys.MERGE_BYTES_PER_SECOND))
                        .withFanIn(integer(NodeKeys.MERGE_FAN_IN))
                        .withLookMs(number(NodeKeys.MERGE_LOOK_MS)),
                new TransferSettings(
                        integer(NodeKeys.TRANSFER_CONCURRENCY),
                        number(NodeKeys.TRANSFER_UP),
                        number(NodeKeys.TRANSFER_DOWN),
                        TransferSettings.DEFAULT.queueMax()),
                new CompactionSettings(
                        (Boolean) value(NodeKeys.CLEANER_ENABLE),
                        number(NodeKeys.DEDUPE_BUFFER_BYTES),
                        ((Number) value(NodeKeys.DEDUPE_LOAD_FACTOR)).doubleValue(),
                        number(NodeKeys.DIRTY_BYTES_MIN),
                        integer(NodeKeys.DIRTY_RANGES_MIN)),
                number(NodeKeys.STATE_SNAPSHOT_MS),
                number(NodeKeys.BUCKET_CHECK_MS));
    }

    private Map<String, String> s3Settings() {
        Map<String, String> settings = new HashMap<>();
        values.forEach((key, value) -> {
            if (key.startsWith(NodeKeys.S3_PREFIX) && value != null) {
                String text = value instanceof Password secret ? secret.value() : value.toString();
                settings.put(key.substring(NodeKeys.S3_PREFIX.length()), text);
            }
        });
        return settings;
    }

    private NodeConfig.Reads reads(boolean nearest) {
        FetchSettings defaults = FetchSettings.defaults();
        return new NodeConfig.Reads(
                number(NodeKeys.TAIL_CACHE_BYTES),
                number(NodeKeys.BLOCK_CACHE_BYTES),
                new FetchSettings(
                        integer(NodeKeys.FETCH_BYTES_MAX),
                        defaults.coldBytesMax(),
                        defaults.coldWaitMs(),
                        defaults.coldGraceMs(),
                        Math.max(1, integer(NodeKeys.FETCH_SESSIONS_MAX)),
                        defaults.sessionIdleMs()),
                nearest);
    }

    private boolean nearest(String zone) {
        String selector = text(NodeKeys.REPLICA_SELECTOR_CLASS);
        if (selector == null) {
            return false;
        }
        if (!selector.equals(RackAwareReplicaSelector.class.getName())) {
            problems.add(NodeKeys.REPLICA_SELECTOR_CLASS + " = " + selector + ": only "
                    + RackAwareReplicaSelector.class.getName() + " is known. Set that, or remove the key");
        }
        if (zone.isEmpty()) {
            problems.add(NodeKeys.REPLICA_SELECTOR_CLASS + " is set, but this node is in no zone. Set "
                    + NodeKeys.NODE_ZONE + " too");
        }
        return true;
    }

    private NodeConfig.Topics topics(TopicSchema schema) {
        return new NodeConfig.Topics(
                integer(NodeKeys.NUM_PARTITIONS),
                integer(NodeKeys.DEFAULT_REPLICATION_FACTOR),
                (Boolean) value(NodeKeys.AUTO_CREATE),
                integer(NodeKeys.PRODUCER_ID_EXPIRATION_MS),
                number(NodeKeys.RETENTION_CHECK_MS),
                schema);
    }

    // ---- single values

    private Object value(String key) {
        Object value = values.get(key);
        if (value == null) {
            throw new IllegalStateException(key + " has no value");
        }
        return value;
    }

    private String string(String key) {
        return (String) value(key);
    }

    /** Null when the key is not set. */
    private @Nullable String text(String key) {
        String value = (String) values.get(key);
        return value == null || value.isBlank() ? null : value;
    }

    private OptionalInt optional(String key) {
        return values.get(key) instanceof Number number ? OptionalInt.of(number.intValue()) : OptionalInt.empty();
    }

    private int integer(String key) {
        return ((Number) value(key)).intValue();
    }

    private long number(String key) {
        return ((Number) value(key)).longValue();
    }

    private List<String> list(String key) {
        List<String> result = new ArrayList<>();
        if (values.get(key) instanceof List<?> list) {
            for (Object element : list) {
                if (!element.toString().isBlank()) {
                    result.add(element.toString().trim());
                }
            }
        }
        return result;
    }
}
