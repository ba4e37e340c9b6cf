package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A stock producer is asked for its metrics (KIP-714), pushes them, and they are there for whoever scrapes the node. */
class TelemetryEndToEndTest {
    private static final long DEADLINE_S = 30;
    private static final String METRIC =
            "catchment_client_metric{metric=\"org.apache.kafka.producer.connection.creation.total\",client_id=\"ship\"";

    @Test
    void whatAClientPushesIsInTheNodesMetricsUntilItIsGone(@TempDir Path directory) throws Exception {
        try (LocalNode node = LocalNode.start(directory, Map.of())) {
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", node.bootstrap()))) {
                ConfigResource ships = new ConfigResource(ConfigResource.Type.CLIENT_METRICS, "ships");
                admin.incrementalAlterConfigs(Map.of(
                                ships,
                                List.of(
                                        set("metrics", "org.apache.kafka.producer."),
                                        set("interval.ms", "100"),
                                        set("match", "client_id=ship"))))
                        .all()
                        .get(DEADLINE_S, TimeUnit.SECONDS);
                assertThat(admin.listConfigResources(
                                        java.util.Set.of(ConfigResource.Type.CLIENT_METRICS),
                                        new org.apache.kafka.clients.admin.ListConfigResourcesOptions())
                                .all()
                                .get(DEADLINE_S, TimeUnit.SECONDS))
                        .containsExactly(ships);
            }
            try (KafkaProducer<byte[], byte[]> ship = producer(node, "ship");
                    KafkaProducer<byte[], byte[]> other = producer(node, "other")) {
                ship.send(new ProducerRecord<>("t", new byte[10])).get(DEADLINE_S, TimeUnit.SECONDS);
                other.send(new ProducerRecord<>("t", new byte[10])).get(DEADLINE_S, TimeUnit.SECONDS);
                awaitMetric(node, true);
                assertThat(node.http("/metrics")).doesNotContain("client_id=\"other\"");
            }
            awaitMetric(node, false);
        }
    }

    private static void awaitMetric(LocalNode node, boolean there) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
        while (node.http("/metrics").contains(METRIC) != there) {
            assertThat(System.nanoTime()).as("the client's metric").isLessThan(deadline);
            Thread.sleep(50); // between two looks
        }
    }

    private static KafkaProducer<byte[], byte[]> producer(LocalNode node, String clientId) {
        return new KafkaProducer<>(
                Map.of("bootstrap.servers", node.bootstrap(), "client.id", clientId),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    private static AlterConfigOp set(String key, String value) {
        return new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
    }
}
