package io.catchment.controlplane.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.server.ControlPlaneConfig.Formation;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeQuorumResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.DescribeQuorumRequest;
import org.apache.kafka.common.requests.DescribeQuorumResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three voters and an observer in one process, over real sockets: nothing in here may assume one voter. */
class ThreeControllersTest {
    private static final int CONTROLLERS = 3;
    private static final int OBSERVER = 4;

    @TempDir
    Path temp;

    private final ShiftedTime time = new ShiftedTime();
    private UnaryOperator<ControlPlaneConfig> tuned = config -> config;
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
        startThree();
        start(OBSERVER, Formation.JOIN);

        // Commands by way of a follower and of the observer end up in everybody's image
        node(2).register(2);
        node(OBSERVER).register(OBSERVER);
        node(2).createTopic("by-follower", 3);
        assertThat(node(2).image().topic("by-follower")).isPresent();
        TestNode.get(node(OBSERVER).plane().barrier());
        assertThat(node(OBSERVER).image().topic("by-follower")).isPresent();
        for (TestNode node : nodes.values()) {
            assertDescribesTheQuorum(node);
        }

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
        // The barrier itself is replayed by each when it gets there
        TestNode.await(
                "the same state",
                () -> node(leader).image().state().equals(survivor.image().state()));
        for (TestNode node : nodes.values()) {
            assertThat(node.fatal()).isNull();
        }
    }

    @Test
    @Tag("slow")
    void eachCommandTakesEffectOnceWhileLeadersComeAndGo() throws Exception {
        startThree();
        start(OBSERVER, Formation.JOIN);
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

    @Test
    void aWipedVoterComesBackAsAnotherAndCostsNothing() throws Exception {
        startThree();
        node(2).createTopic("before", 3);
        Map<Integer, Uuid> before = directories();
        int wiped = node(2).image().controllerId() == 3 ? 2 : 3;
        close(wiped);
        deleteTree(temp.resolve("node-" + wiped));
        node(1).createTopic("without-it", 3);
        start(wiped, Formation.JOIN_AND_VOTE);
        // It is not the voter that it was: the old entry is taken out and the new one put in, by itself
        TestNode.await("the wiped one to vote again", () -> {
            Map<Integer, Uuid> now = directories();
            return now.size() == CONTROLLERS && !before.get(wiped).equals(now.get(wiped));
        });
        TestNode.get(node(wiped).plane().barrier());
        assertThat(node(wiped).image().topic("before")).isPresent();
        assertThat(node(wiped).image().historyId())
                .isEqualTo(node(wiped == 3 ? 2 : 3).image().historyId());
        assertThat(node(wiped).image().topic("without-it")).isPresent();

        // And its vote counts: with one of the others gone the two go on
        int other = wiped == 3 ? 2 : 3;
        close(other);
        node(wiped).createTopic("with-its-vote", 1);
        assertThat(node(1).fatal()).isNull();
        assertThat(node(wiped).fatal()).isNull();
    }

    @Test
    @Tag("slow")
    void allThreeRestartedTogetherHaveEverything() throws Exception {
        startThree();
        node(3).createTopic("kept", 5);
        long epoch = node(1).join(1);
        for (int id = 1; id <= CONTROLLERS; id++) {
            close(id);
        }
        for (int id = 1; id <= CONTROLLERS; id++) {
            start(id, id == 1 ? Formation.ALONE : Formation.JOIN_AND_VOTE);
        }
        TestNode.get(node(2).plane().barrier());
        assertThat(node(2).image().topic("kept")).isPresent();
        assertThat(node(1).join(1)).isGreaterThan(epoch);
    }

    @Test
    void aLeaderThatRefusesConnectionsIsReplacedWithoutWaitingForItsSilence() throws Exception {
        startThree();
        for (int id = 1; id <= CONTROLLERS; id++) {
            close(id);
        }
        // As voters they need no fetch timeout to begin; by silence nobody would stand for election within this test.
        // Nor is anybody fenced for it: a node whose epoch is over sends no heartbeats until it registers again, so it
        // is not refused, and takes the lost leader for the leader until its fetch timeout.
        long longMs = TimeUnit.MINUTES.toMillis(10);
        tuned = config -> withFetchTimeout(config, (int) longMs).withLease(config.heartbeatMs(), longMs);
        for (int id = 1; id <= CONTROLLERS; id++) {
            start(id, id == 1 ? Formation.ALONE : Formation.JOIN_AND_VOTE);
        }
        for (int id = 1; id <= CONTROLLERS; id++) {
            node(id).join(id);
        }
        int lost = node(2).image().controllerId();
        int survivor = lost == 1 ? 2 : 1;
        isolate(lost);
        TestNode.await(
                "another controller",
                () -> node(survivor).image().controllerId() != lost
                        && node(survivor).image().controllerId() >= 0);
        node(survivor).createTopic("after", 1);
        for (int id = 1; id <= CONTROLLERS; id++) {
            assertThat(node(id).fatal()).isNull();
            assertThat(node(id).epochsOver()).as("node %d", id).isZero();
        }
    }

    private static ControlPlaneConfig withFetchTimeout(ControlPlaneConfig config, int fetchTimeoutMs) {
        return new ControlPlaneConfig(
                config.nodeId(),
                config.clusterId(),
                config.directory(),
                config.roles(),
                config.listener(),
                config.host(),
                config.port(),
                config.formation(),
                config.controllers(),
                config.replicas(),
                config.ackQuorum(),
                config.electionTimeoutMs(),
                fetchTimeoutMs,
                config.requestTimeoutMs(),
                config.commandTimeoutMs(),
                config.heartbeatMs(),
                config.leaseMs(),
                config.snapshotBytes(),
                config.snapshotIntervalMs(),
                config.segmentBytes(),
                config.retentionBytes());
    }

    @Test
    void aLostActiveControllerIsReplacedAndFencedAndNobodyElseIs() throws Exception {
        startThree();
        start(OBSERVER, Formation.JOIN);
        for (int id = 1; id <= OBSERVER; id++) {
            node(id).join(id);
        }
        int lost = node(OBSERVER).image().controllerId();
        int survivor = lost == 1 ? 2 : 1;
        long lostEpoch = node(survivor).image().node(lost).orElseThrow().epoch();
        long since = System.nanoTime();
        isolate(lost);
        TestNode.await(
                "another controller",
                () -> node(survivor).image().controllerId() != lost
                        && node(survivor).image().controllerId() >= 0);
        node(survivor).createTopic("after", 1);
        long elapsedMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since);
        assertThat(elapsedMs).isLessThan(10_000);
        System.out.println("another controller committed " + elapsedMs + " ms after the loss of the active one");

        TestNode.await("the lost node to be fenced", () -> node(survivor)
                .image()
                .node(lost)
                .filter(node -> node.fenced() && node.epoch() == lostEpoch)
                .isPresent());
        long fencedMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since);
        System.out.println("the lost node was fenced " + fencedMs + " ms after its loss");
        for (int id = 1; id <= OBSERVER; id++) {
            if (id != lost) {
                assertThat(node(id).epochsOver()).as("node %d", id).isZero();
            }
        }
        assertThat(node(survivor).image().topic("after").orElseThrow().streams())
                .allMatch(stream -> !node(survivor)
                        .image()
                        .node(node(survivor).image().stream(stream)
                                .orElseThrow()
                                .ownerNodeId())
                        .orElseThrow()
                        .fenced());
    }

    @Test
    @Tag("slow")
    void theFirstControllerFormsTheClusterOnlyWhenNobodyKnowsOne() throws Exception {
        for (int id = 1; id <= CONTROLLERS; id++) {
            FrameServer reserved = new FrameServer();
            ports.put(id, reserved.port());
            reserved.close();
        }
        start(2, Formation.JOIN_AND_VOTE);
        start(3, Formation.JOIN_AND_VOTE);
        start(1, Formation.FORM_OR_JOIN);
        try (Admin admin = admin()) {
            TestNode.await("three voters", () -> voters(admin) == CONTROLLERS);
        }
        node(1).createTopic("kept", 1);
        Map<Integer, Uuid> before = directories();

        close(1);
        deleteTree(temp.resolve("node-1"));
        start(1, Formation.FORM_OR_JOIN);
        TestNode.await("the wiped first one to vote again", () -> {
            Map<Integer, Uuid> now = directories();
            return now.size() == CONTROLLERS && !Objects.equals(before.get(1), now.get(1));
        });
        TestNode.get(node(1).plane().barrier());
        assertThat(node(1).image().topic("kept")).isPresent();
    }

    @Test
    void aNewMemberStartsFromASnapshotWhenTheLogsBeginIsGone() throws Exception {
        tuned = config -> config.withSnapshots(1 << 20, TimeUnit.HOURS.toMillis(1), 1 << 20);
        startThree();
        node(1).createTopic("t", 1);
        String value = "v".repeat(30_000);
        for (int round = 0; round < 8; round++) {
            List<java.util.concurrent.CompletionStage<Command.Done>> changes = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                changes.add(node(1).plane()
                        .submit(new Command.AlterConfigs((byte) 2, "t", Map.of("k", value + round + "-" + i))));
            }
            for (var change : changes) {
                TestNode.get(change);
            }
        }
        // Logs are cleaned once a minute; everybody has the same clock, so it costs an election and no more
        time.skip(TimeUnit.MINUTES.toMillis(2));
        Path firstSegment = Path.of("__cluster_metadata-0", "00000000000000000000.log");
        for (int id = 1; id <= CONTROLLERS; id++) {
            Path segment = temp.resolve("node-" + id).resolve(firstSegment);
            TestNode.await("the log's begin to be cleaned", () -> java.nio.file.Files.notExists(segment));
        }
        start(OBSERVER, Formation.JOIN);
        TestNode.get(node(OBSERVER).plane().barrier());
        TestNode.get(node(2).plane().barrier());
        TestNode.get(node(OBSERVER).plane().barrier());
        assertThat(node(OBSERVER).image().configs((byte) 2, "t")).containsEntry("k", value + "7-49");
        assertThat(temp.resolve("node-" + OBSERVER).resolve(firstSegment)).doesNotExist();
    }

    /** Whoever is asked: only the leader knows how far the others are. */
    private static void assertDescribesTheQuorum(TestNode node) throws Exception {
        short version = ApiKeys.DESCRIBE_QUORUM.latestVersion();
        RequestHeader header = new RequestHeader(ApiKeys.DESCRIBE_QUORUM, version, "test", 7);
        ByteBuffer question = new DescribeQuorumRequest.Builder(
                        DescribeQuorumRequest.singletonRequest(Topic.CLUSTER_METADATA_TOPIC_PARTITION))
                .build(version)
                .serializeWithHeader(header);
        DescribeQuorumResponse answer = (DescribeQuorumResponse)
                AbstractResponse.parseResponse(TestNode.get(node.plane().askController(question)), header);
        DescribeQuorumResponseData.PartitionData partition =
                answer.data().topics().get(0).partitions().get(0);
        assertThat(Errors.forCode(partition.errorCode())).isEqualTo(Errors.NONE);
        assertThat(partition.leaderId()).isEqualTo(node.image().controllerId());
        assertThat(partition.currentVoters())
                .extracting(DescribeQuorumResponseData.ReplicaState::replicaId)
                .containsExactlyInAnyOrder(1, 2, 3);
    }

    /** Nothing reaches the node, and nothing of its Raft the others. */
    private void isolate(int id) throws Exception {
        for (Map.Entry<Integer, TestNode> other : nodes.entrySet()) {
            if (other.getKey() != id) {
                other.getValue().network().refuse("raft-client-" + id);
            }
        }
        node(id).network().close();
    }

    private void startThree() throws Exception {
        start(1, Formation.ALONE);
        start(2, Formation.JOIN_AND_VOTE);
        start(3, Formation.JOIN_AND_VOTE);
        try (Admin admin = admin()) {
            TestNode.await("three voters", () -> voters(admin) == CONTROLLERS);
        }
    }

    private void close(int id) throws Exception {
        node(id).close();
        nodes.remove(id);
    }

    /** Voters and their directory ids. */
    private Map<Integer, Uuid> directories() {
        Map<Integer, Uuid> directories = new HashMap<>();
        try (Admin admin = admin()) {
            QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get(10, TimeUnit.SECONDS);
            quorum.voters().forEach(voter -> directories.put(voter.replicaId(), voter.replicaDirectoryId()));
        } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
            return Map.of();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return directories;
    }

    private static void deleteTree(Path directory) throws java.io.IOException {
        try (java.util.stream.Stream<Path> files = java.nio.file.Files.walk(directory)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                java.nio.file.Files.delete(file);
            }
        }
    }

    private TestNode node(int id) {
        return Objects.requireNonNull(nodes.get(id));
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
                        tuned.apply(ControlPlaneConfig.joining(
                                id,
                                "three",
                                temp.resolve("node-" + id),
                                roles,
                                "localhost",
                                network.port(),
                                formation,
                                controllers)),
                        time));
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
