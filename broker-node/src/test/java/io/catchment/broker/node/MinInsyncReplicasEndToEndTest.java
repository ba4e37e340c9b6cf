package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A topic that asks for more copies than there are nodes: refused to whoever waits for all of them, as by Kafka. */
class MinInsyncReplicasEndToEndTest {
    private static final long DEADLINE_S = 30;

    @Test
    void whoAsksForAllCopiesIsRefusedWhereThereAreTooFewNodes(@TempDir Path directory) throws Exception {
        try (LocalNode node = LocalNode.start(directory, Map.of())) {
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", node.bootstrap()))) {
                admin.createTopics(List.of(
                                new NewTopic("two", 1, (short) -1).configs(Map.of("min.insync.replicas", "2")),
                                new NewTopic("one", 1, (short) -1)))
                        .all()
                        .get(DEADLINE_S, TimeUnit.SECONDS);
            }
            assertThatThrownBy(() -> send(node, "two", "all")).hasCauseInstanceOf(NotEnoughReplicasException.class);
            assertThat(send(node, "two", "1"))
                    .as("the refused record took no offset")
                    .isZero();
            assertThat(send(node, "one", "all")).isZero();
        }
    }

    private static long send(LocalNode node, String topic, String acks) throws Exception {
        try (var producer = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        node.bootstrap(),
                        "acks",
                        acks,
                        "enable.idempotence",
                        "false",
                        "retries",
                        "0"),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            return producer.send(new ProducerRecord<>(topic, new byte[10]))
                    .get(DEADLINE_S, TimeUnit.SECONDS)
                    .offset();
        }
    }
}
