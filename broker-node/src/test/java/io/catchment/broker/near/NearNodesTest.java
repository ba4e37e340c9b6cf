package io.catchment.broker.near;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.Endpoint;
import io.catchment.controlplane.StreamState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class NearNodesTest {
    private static final String LISTENER = "PLAINTEXT";
    private static final int PARTITIONS = 200;

    private final FakeControlPlane control = new FakeControlPlane();

    private void node(int nodeId, String zone, String listener, String... roles) {
        control.applyNow(new Command.RegisterNode(
                nodeId,
                "store-" + nodeId,
                List.of(new Endpoint(listener, "host-" + nodeId, 9000 + nodeId)),
                zone,
                List.of(roles),
                Uuid.randomUuid()));
    }

    private void broker(int nodeId, String zone) {
        node(nodeId, zone, LISTENER, "broker", "wal");
    }

    private List<StreamState> streamsOf(int owner) {
        List<Integer> owners = new ArrayList<>();
        for (int i = 0; i < PARTITIONS; i++) {
            owners.add(owner);
        }
        control.submit(new Command.CreateTopics(
                List.of(new Command.CreateTopic("readings", PARTITIONS, (short) 1, Map.of(), owners)), false));
        ClusterImage image = control.image();
        return image.topic("readings").orElseThrow().streams().stream()
                .map(id -> image.stream(id).orElseThrow())
                .toList();
    }

    private Map<Long, Integer> nearIn(String zone, List<StreamState> streams) {
        Map<Long, Integer> near = new HashMap<>();
        streams.forEach(stream -> near.put(stream.streamId(), NearNodes.of(control.image(), stream, zone, LISTENER)));
        return near;
    }

    @Test
    void nobodyReadsNearerThanAnOwnerInTheSameZone() {
        broker(1, "a");
        broker(2, "a");
        StreamState stream = streamsOf(1).get(0);
        assertThat(NearNodes.of(control.image(), stream, "a", LISTENER)).isEqualTo(NearNodes.NOBODY);
        assertThat(NearNodes.of(control.image(), stream, LISTENER)).isEmpty();
    }

    @Test
    void aZoneWithoutNodesHasNobody() {
        broker(1, "a");
        broker(2, "b");
        assertThat(NearNodes.of(control.image(), streamsOf(1).get(0), "elsewhere", LISTENER))
                .isEqualTo(NearNodes.NOBODY);
    }

    @Test
    void fencedNodesAndThoseThatClientsDoNotReachDoNotRead() {
        broker(1, "a");
        broker(2, "b");
        control.fenceNode(2, true);
        node(3, "b", "OTHER", "broker", "wal");
        node(4, "b", LISTENER, "wal");
        StreamState stream = streamsOf(1).get(0);
        assertThat(NearNodes.of(control.image(), stream, "b", LISTENER)).isEqualTo(NearNodes.NOBODY);
        assertThat(NearNodes.of(control.image(), stream, LISTENER)).isEmpty();
        control.fenceNode(2, false);
        assertThat(NearNodes.of(control.image(), stream, "b", LISTENER)).isEqualTo(2);
    }

    @Test
    void whatAnOwnerTellsIsWhatMetadataLists() {
        broker(1, "a");
        for (int node = 2; node < 10; node++) {
            broker(node, node % 2 == 0 ? "b" : "c");
        }
        for (StreamState stream : streamsOf(1)) {
            assertThat(NearNodes.of(control.image(), stream, LISTENER))
                    .containsExactlyInAnyOrder(
                            NearNodes.of(control.image(), stream, "b", LISTENER),
                            NearNodes.of(control.image(), stream, "c", LISTENER));
        }
    }

    @Test
    void streamsSpreadOverAZoneAndOnlyThoseOfANodeThatGoesMove() {
        broker(1, "a");
        broker(2, "b");
        broker(3, "b");
        broker(4, "b");
        List<StreamState> streams = streamsOf(1);
        Map<Long, Integer> before = nearIn("b", streams);
        for (int node = 2; node <= 4; node++) {
            int id = node;
            assertThat(before.values().stream().filter(near -> near == id).count())
                    .isGreaterThan(PARTITIONS / 6);
        }
        control.fenceNode(3, true);
        Map<Long, Integer> after = nearIn("b", streams);
        Set<Integer> left = new HashSet<>(after.values());
        assertThat(left).containsExactlyInAnyOrder(2, 4);
        before.forEach((stream, near) -> {
            if (near != 3) {
                assertThat(after.get(stream)).isEqualTo(near);
            }
        });
    }
}
