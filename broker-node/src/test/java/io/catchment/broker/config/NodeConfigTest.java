package io.catchment.broker.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Defaults, and that each mistake is told with its key, its value and what to do. */
class NodeConfigTest {
    private static Map<String, String> minimal() {
        return new HashMap<>(Map.of(
                "node.id", "1",
                "listeners", "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093",
                "catchment.dir", "/var/lib/catchment",
                "catchment.object.store", "file:///srv/objects"));
    }

    private static List<String> problems(String... keysAndValues) {
        Map<String, String> properties = minimal();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            properties.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        try {
            NodeConfig.of(properties);
            return List.of();
        } catch (InvalidNodeConfigException e) {
            return e.problems();
        }
    }

    @Test
    void fourKeysMakeANode() {
        NodeConfig config = NodeConfig.of(minimal());
        assertThat(config.nodeId()).isEqualTo(1);
        assertThat(config.roles()).isEqualTo(Set.of(NodeRole.BROKER, NodeRole.WAL, NodeRole.CONTROLLER));
        assertThat(config.walDirectory()).hasToString("/var/lib/catchment/wal");
        assertThat(config.controlDirectory()).hasToString("/var/lib/catchment/control");
        assertThat(config.listeners().clients()).containsExactly(new Listener("PLAINTEXT", "127.0.0.1", 9092));
        assertThat(config.listeners().controller()).contains(new Listener("CONTROLLER", "127.0.0.1", 9093));
        assertThat(config.listeners().advertisedFor("PLAINTEXT")).hasToString("PLAINTEXT://127.0.0.1:9092");
        assertThat(config.http()).isEqualTo(new NodeConfig.Http("127.0.0.1", 9094));
        assertThat(config.store().uri()).isEqualTo("file:///srv/objects");
        assertThat(config.store().settings()).isEmpty();
        assertThat(config.clusterId()).isEmpty();
        assertThat(config.zone()).isEmpty();
    }

    @Test
    void defaultsAreKafkasWhereKafkaHasThem() {
        NodeConfig config = NodeConfig.of(minimal());
        assertThat(config.network().requestBytesMax()).isEqualTo(100 << 20);
        assertThat(config.network().queuedRequestBytesMax()).isEqualTo(256L << 20);
        assertThat(config.network().connectionIdleMs()).isEqualTo(600_000);
        assertThat(config.network().connectionsMax()).isEqualTo(Integer.MAX_VALUE);
        assertThat(config.reads().fetch().responseBytesMax()).isEqualTo(55 << 20);
        assertThat(config.reads().fetch().sessionsMax()).isEqualTo(1000);
        assertThat(config.topics().partitions()).isEqualTo(1);
        assertThat(config.topics().autoCreate()).isTrue();
        assertThat(config.topics().producerIdExpirationMs()).isEqualTo(86_400_000);
        assertThat(config.topics()
                        .schema()
                        .effective("max.message.bytes", Map.of())
                        .value())
                .isEqualTo("1048588");
        assertThat(config.groups().coordinator().offsetsTopicPartitions()).isEqualTo(50);
        assertThat(config.groups().maxBatchBytes()).isEqualTo(1_048_588);
        assertThat(config.control().leaseMs()).isEqualTo(2_000);
    }

    @Test
    void kafkasKeysReachTheComponentsTheyBelongTo() {
        Map<String, String> properties = minimal();
        properties.putAll(Map.of(
                "message.max.bytes", "5000000",
                "log.retention.hours", "5",
                "offsets.topic.num.partitions", "3",
                "group.initial.rebalance.delay.ms", "0",
                "num.partitions", "12",
                "broker.rack", "hall-3"));
        NodeConfig config = NodeConfig.of(properties);
        assertThat(config.topics()
                        .schema()
                        .effective("max.message.bytes", Map.of())
                        .value())
                .isEqualTo("5000000");
        assertThat(config.topics().schema().effective("retention.ms", Map.of()).value())
                .isEqualTo("18000000");
        assertThat(config.groups().coordinator().offsetsTopicPartitions()).isEqualTo(3);
        assertThat(config.groups().maxBatchBytes()).isEqualTo(5_000_000);
        assertThat(config.topics().partitions()).isEqualTo(12);
        assertThat(config.zone()).isEqualTo("hall-3");
        assertThat(config.written()).isEqualTo(properties);
    }

    @Test
    void s3SettingsKeepTheObjectStoresOwnNamesAndAreNotPrinted() {
        Map<String, String> properties = minimal();
        properties.put("catchment.object.store", "s3://bucket/prefix?endpoint=http://127.0.0.1:9000");
        properties.put("catchment.s3.region", "eu-central-1");
        properties.put("catchment.s3.path-style", "true");
        properties.put("catchment.s3.access-key-id", "me");
        properties.put("catchment.s3.secret-access-key", "geheim");
        NodeConfig.Store store = NodeConfig.of(properties).store();
        assertThat(store.settings())
                .isEqualTo(Map.of(
                        "region", "eu-central-1",
                        "path-style", "true",
                        "access-key-id", "me",
                        "secret-access-key", "geheim"));
        assertThat(store).hasToString("s3://bucket/prefix");
    }

    @Test
    void allMistakesAreToldAtOnce() {
        assertThatThrownBy(() -> NodeConfig.of(Map.of("node.id", "x", "listeners", "PLAINTEXT://:9092")))
                .isInstanceOf(InvalidNodeConfigException.class)
                .hasMessageStartingWith("3 mistakes")
                .hasMessageContaining("node.id")
                .hasMessageContaining("catchment.dir: must be set")
                .hasMessageContaining("catchment.object.store: must be set");
    }

    @Test
    void aMistypedKeyIsToldWithTheNearestOne() {
        assertThat(problems("catchment.objectstore", "x"))
                .containsExactly("catchment.objectstore: there is no such key. Did you mean catchment.object.store?");
        assertThat(problems("num.partition", "3"))
                .containsExactly("num.partition: there is no such key. Did you mean num.partitions?");
        assertThat(problems("wholly.different.thing.altogether", "x"))
                .containsExactly("wholly.different.thing.altogether: there is no such key. Remove it");
    }

    @Test
    void kafkasKeysThatMeanNothingHereSaySo() {
        assertThat(problems("log.dirs", "/tmp"))
                .containsExactly(
                        "log.dirs: the node's files are in catchment.dir; partitions have no directories. Remove it");
        assertThat(problems("num.io.threads", "8")).first().asString().contains("catchment.event.loops");
        assertThat(problems("ssl.keystore.location", "x")).first().asString().contains("PLAINTEXT");
        assertThat(problems("metric.reporters", "x"))
                .containsExactly("metric.reporters: this key of Kafka's has no meaning here. Remove it");
    }

    @Test
    void badValuesAreToldWithKeyAndValue() {
        assertThat(problems("catchment.http.port", "99999"))
                .first()
                .asString()
                .contains("99999", "catchment.http.port");
        assertThat(problems("process.roles", "broker,baker")).first().asString().contains("baker", "process.roles");
        assertThat(problems("queued.max.request.bytes", "1000"))
                .containsExactly("queued.max.request.bytes: 1000 is less than socket.request.max.bytes = 104857600:"
                        + " the largest request could never be read");
        assertThat(problems("log.message.timestamp.type", "Sometimes"))
                .first()
                .asString()
                .contains("Sometimes");
        assertThat(problems("node.lease.ms", "500", "node.heartbeat.ms", "300"))
                .first()
                .asString()
                .contains("node.lease.ms = 500");
        assertThat(problems("catchment.dir", "relative/dir")).first().asString().contains("absolute");
        assertThat(problems("group.consumer.heartbeat.interval.ms", "1"))
                .first()
                .asString()
                .contains("group.consumer");
    }

    @Test
    void listenersAreChecked() {
        assertThat(problems("listeners", "PLAINTEXT:9092,CONTROLLER://:9093"))
                .first()
                .asString()
                .startsWith("listeners = PLAINTEXT:9092: a listener is written NAME://HOST:PORT");
        assertThat(problems("listeners", "PLAINTEXT://:9092"))
                .first()
                .asString()
                .contains("a controller needs a listener");
        assertThat(problems("listeners", "CONTROLLER://:9092"))
                .first()
                .asString()
                .contains("a broker needs a listener");
        assertThat(problems("listeners", "PLAINTEXT://:9092,CONTROLLER://:9092"))
                .first()
                .asString()
                .contains("two listeners on port 9092");
        assertThat(problems("listeners", "PLAINTEXT://:70000,CONTROLLER://:9093"))
                .first()
                .asString()
                .contains("between 0 and 65535");
        assertThat(problems("advertised.listeners", "PLAINTEXT://0.0.0.0:9092"))
                .first()
                .asString()
                .contains("clients cannot connect");
        assertThat(problems("advertised.listeners", "OTHER://host:9092"))
                .first()
                .asString()
                .contains("listeners has no listener of this name");
        assertThat(problems("listener.security.protocol.map", "PLAINTEXT:SASL_SSL"))
                .containsExactly("listener.security.protocol.map = PLAINTEXT:SASL_SSL: SASL_SSL is not there yet, only"
                        + " PLAINTEXT is");
    }

    @Test
    void advertisedListenersAndSeveralListenersWork() {
        Map<String, String> properties = minimal();
        properties.put("listeners", "PLAINTEXT://0.0.0.0:9092,SITES://[::1]:0,CONTROLLER://:9093");
        properties.put("advertised.listeners", "PLAINTEXT://broker-1.example.org:19092");
        Listeners listeners = NodeConfig.of(properties).listeners();
        assertThat(listeners.clients()).hasSize(2);
        assertThat(listeners.advertisedFor("PLAINTEXT")).hasToString("PLAINTEXT://broker-1.example.org:19092");
        assertThat(listeners.advertisedFor("SITES")).hasToString("SITES://[::1]:0");
    }

    @Test
    void aNodeWithoutControllerRoleNeedsToKnowOne() {
        assertThat(problems("process.roles", "broker,wal"))
                .containsExactly(
                        "controller.quorum.bootstrap.servers: must be set on a node without the controller role");
        assertThat(problems(
                        "process.roles",
                        "broker,wal",
                        "catchment.cluster.id",
                        "c",
                        "controller.quorum.bootstrap.servers",
                        "a:1,b"))
                .containsExactly("controller.quorum.bootstrap.servers = b: write HOST:PORT");
    }

    @Test
    void severalControllersNeedToAgreeOnTheCluster() {
        assertThat(problems(
                        "listeners",
                        "PLAINTEXT://a:9092,CONTROLLER://a:9093,WAL://a:9095",
                        "controller.quorum.bootstrap.servers",
                        "b:9093,c:9093"))
                .hasSize(2)
                .anySatisfy(problem -> assertThat(problem).startsWith("catchment.cluster.id: must be set"))
                .anySatisfy(problem -> assertThat(problem).contains("must name this controller too, as a:9093"));
    }

    @Test
    void replicationNeedsItsListener() {
        NodeConfig alone = NodeConfig.of(minimal());
        assertThat(alone.wal().replicas()).isEqualTo(1);
        Map<String, String> replicated = minimal();
        replicated.put("listeners", "PLAINTEXT://a:9092,CONTROLLER://a:9093,WAL://a:9095");
        NodeConfig one = NodeConfig.of(replicated);
        assertThat(one.wal().replicas()).isEqualTo(3);
        assertThat(one.wal().ackQuorum()).isEqualTo(2);
        assertThat(one.listeners().clients()).hasSize(1);
        assertThat(one.listeners().walTold()).hasValue(new Listener("WAL", "a", 9095));
        assertThat(problems("catchment.wal.replicas", "3")).first().asString().contains("needs a listener");
        assertThat(problems(
                        "listeners",
                        "PLAINTEXT://a:9092,CONTROLLER://a:9093,WAL://a:9095",
                        "catchment.wal.ack.quorum",
                        "4"))
                .first()
                .asString()
                .contains("is not between 1 and 3");
    }

    @Test
    void readersInTheirZoneNeedKafkasSelectorAndAZone() {
        String kafkas = "org.apache.kafka.common.replica.RackAwareReplicaSelector";
        assertThat(problems("replica.selector.class", kafkas, "node.zone", "a")).isEmpty();
        assertThat(problems("replica.selector.class", kafkas))
                .first()
                .asString()
                .contains("node.zone");
        assertThat(problems("replica.selector.class", "com.example.Mine", "node.zone", "a"))
                .first()
                .asString()
                .contains(kafkas);
    }

    @Test
    void objectStoreUrisAreChecked() {
        assertThat(problems("catchment.object.store", "/srv/objects"))
                .first()
                .asString()
                .contains("file:///DIR");
        assertThat(problems("catchment.object.store", "gs://bucket"))
                .first()
                .asString()
                .contains("s3://BUCKET/PREFIX");
        assertThat(problems("catchment.s3.region", "x")).first().asString().contains("a directory as object store");
    }

    @Test
    void distanceCountsLetters() {
        assertThat(UnknownKeys.distance("", "abc")).isEqualTo(3);
        assertThat(UnknownKeys.distance("abc", "abc")).isZero();
        assertThat(UnknownKeys.distance("kitten", "sitting")).isEqualTo(3);
    }
}
