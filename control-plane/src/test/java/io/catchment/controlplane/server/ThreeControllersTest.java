package io.catchment.controlplane.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.server.ControlPlaneConfig.Formation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three voters and an observer in one process, over real sockets: nothing in here may assume one voter. */
class ThreeControllersTest {
    private static final int CONTROLLERS = 3;
    private static final int OBSERVER = 4;

    @TempDir
    Path temp;

    private final Map<Integer, Integer> ports = new HashMap<>();
    private final Map<Integer, TestNode> nodes = new HashMap<>();

    @AfterEach
    void closeAll() throws Exception {
        for (TestNode node : nodes.values()) {
            node.close();
        }
    }

    @Test
    void controllersJoinLeadFailOverAndCatchUp() throws Exception {
        start(1, Formation.ALONE);
        start(2, Formation.JOIN_AND_VOTE);
        start(3, Formation.JOIN_AND_VOTE);
        start(OBSERVER, Formation.JOIN);
        try (Admin admin = admin()) {
            TestNode.await("three voters", () -> voters(admin) == CONTROLLERS);
        }

        // Commands by way of a follower and of the observer end up in everybody's image
        node(2).register(2);
        node(OBSERVER).register(OBSERVER);
        node(2).createTopic("by-follower", 3);
        assertThat(node(2).image().topic("by-follower")).isPresent();
        TestNode.get(node(OBSERVER).plane().barrier());
        assertThat(node(OBSERVER).image().topic("by-follower")).isPresent();

        int leader = node(2).image().controllerId();
        node(leader).close();
        nodes.remove(leader);
        TestNode survivor = node(leader == 2 ? 3 : 2);
        survivor.createTopic("after-failover", 3);
        node(OBSERVER).createTopic("by-observer", 1);
        assertThat(survivor.image().controllerId()).isNotEqualTo(leader);

        // The lost one comes back and has everything
        start(leader, Formation.JOIN_AND_VOTE);
        TestNode.get(node(leader).plane().barrier());
        assertThat(node(leader).image().topic("after-failover")).isPresent();
        assertThat(node(leader).image().topic("by-observer")).isPresent();
        TestNode.get(survivor.plane().barrier());
        assertThat(node(leader).image().state()).isEqualTo(survivor.image().state());
        for (TestNode node : nodes.values()) {
            assertThat(node.fatal()).isNull();
        }
    }

    @Test
    void eachCommandTakesEffectOnceWhileLeadersComeAndGo() throws Exception {
        start(1, Formation.ALONE);
        start(2, Formation.JOIN_AND_VOTE);
        start(3, Formation.JOIN_AND_VOTE);
        start(OBSERVER, Formation.JOIN);
        try (Admin admin = admin()) {
            TestNode.await("three voters", () -> voters(admin) == CONTROLLERS);
        }
        long epoch = node(OBSERVER).register(OBSERVER);
        List<java.util.concurrent.CompletionStage<Command.ProducerIdBlock>> blocks = new ArrayList<>();
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 100; i++) {
                blocks.add(node(OBSERVER).plane().submit(new Command.AllocateProducerIds(OBSERVER, epoch)));
            }
            int leader = node(OBSERVER).image().controllerId();
            TestNode.get(blocks.get(round * 100));
            node(leader).close();
            nodes.remove(leader);
            start(leader, Formation.JOIN_AND_VOTE);
        }
        Set<Long> firstIds = new java.util.HashSet<>();
        for (var block : blocks) {
            assertThat(firstIds.add(TestNode.get(block).firstId())).isTrue();
        }
        assertThat(node(OBSERVER).image().state().nextProducerId()).isEqualTo(200 * 1000L);
    }

    private TestNode node(int id) {
        return java.util.Objects.requireNonNull(nodes.get(id));
    }

    private void start(int id, Formation formation) throws Exception {
        FrameServer network = new FrameServer(ports.getOrDefault(id, 0));
        ports.put(id, network.port());
        Set<String> roles = id == OBSERVER ? Set.of("broker") : Set.of("broker", "controller");
        List<String> controllers = formation == Formation.ALONE
                ? List.of()
                : ports.entrySet().stream()
                        .filter(port -> port.getKey() != OBSERVER)
                        .map(port -> "localhost:" + port.getValue())
                        .toList();
        nodes.put(
                id,
                TestNode.start(
                        network,
                        ControlPlaneConfig.joining(
                                id,
                                "three",
                                temp.resolve("node-" + id),
                                roles,
                                "localhost",
                                network.port(),
                                formation,
                                controllers)));
    }

    /** As the stock tool kafka-metadata-quorum asks. */
    private Admin admin() {
        return Admin.create(Map.of(
                AdminClientConfig.BOOTSTRAP_CONTROLLERS_CONFIG,
                "localhost:" + ports.get(1),
                AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG,
                5000));
    }

    private static int voters(Admin admin) {
        try {
            QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get(10, TimeUnit.SECONDS);
            return quorum.voters().size();
        } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
            return -1;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
