package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Node 3 of three goes in an orderly way: no extent of others is left open on its store, so it can be removed at once. */
class DepartureEndToEndTest {
    private static final int PARTITIONS = 6;
    private static final long DEADLINE_S = 60;

    @TempDir
    private Path directory;

    private final List<LocalNode> nodes = new ArrayList<>();
    private final Queue<Exception> failures = new ConcurrentLinkedQueue<>();
    private KafkaProducer<String, String> producer;
    private int sent;

    @BeforeEach
    void startThreeNodesThatWrite() throws Exception {
        Map<String, String> common = Map.of(
                "catchment.object.store", directory.resolve("bucket").toUri().toString(),
                "catchment.cluster.id", "factory",
                "catchment.wal.roll.ms", "600000");
        nodes.addAll(LocalCluster.startAll(directory, LocalCluster.three(common), List.of(1, 2, 3)));
        String bootstrap = nodes.stream().map(LocalNode::bootstrap).collect(Collectors.joining(","));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(List.of(new NewTopic("readings", PARTITIONS, (short) 1)))
                    .all()
                    .get(DEADLINE_S, TimeUnit.SECONDS);
        }
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap), new StringSerializer(), new StringSerializer());
        send(60);
        producer.flush();
    }

    @AfterEach
    void stop() {
        producer.close();
        LocalCluster.closeAll(nodes);
    }

    private void send(int count) {
        for (int i = 0; i < count; i++) {
            producer.send(new ProducerRecord<>("readings", sent++ % PARTITIONS, null, "value"), (metadata, failure) -> {
                if (failure != null) {
                    failures.add(failure);
                }
            });
        }
    }

    @Test
    void aNodeThatStopsIsMissedByNoLaneThoughAllAreIdle() throws Exception {
        nodes.remove(2).close();
        assertThat(nodes.get(0).http("/remove?node=3", "POST")).isEqualTo("removed\n");
        send(60);
        producer.flush();
        assertThat(failures).isEmpty();
    }

    @Test
    void aDrainedNodeSaysWhenNobodyWritesThereAnyMore() throws Exception {
        LocalNode going = nodes.get(2);
        await(going, () -> openElsewhere(going) > 0);
        assertThat(going.http("/drain", "POST")).isEqualTo("draining\n");
        await(going, () -> {
            send(PARTITIONS);
            return openElsewhere(going) == 0 && going.http("/status").contains("\"owned\":0,");
        });
        for (int i = 0; i < 20; i++) {
            send(PARTITIONS);
            producer.flush();
            assertThat(openElsewhere(going)).isZero();
        }
        nodes.remove(going);
        going.close();
        assertThat(nodes.get(1).http("/remove?node=3", "POST")).isEqualTo("removed\n");
        producer.flush();
        assertThat(failures).isEmpty();
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(LocalNode node, Condition condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as(node.http("/status")).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private static int openElsewhere(LocalNode node) throws Exception {
        return Integer.parseInt(node.http("/status").replaceAll("(?s).*\"openElsewhere\":(\\d+).*", "$1"));
    }
}
