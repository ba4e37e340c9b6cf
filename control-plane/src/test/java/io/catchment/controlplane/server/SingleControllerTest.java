package io.catchment.controlplane.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ImageDelta;
import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.state.StateInvariants;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The control plane on real Raft with one voter. */
class SingleControllerTest {
    private static final String CLUSTER = "test-cluster";

    @TempDir
    Path temp;

    @Test
    void stateSurvivesARestart() throws Exception {
        FrameServer network = new FrameServer();
        ControlPlaneConfig config = config(temp.resolve("a"), network);
        StateImage before;
        try (TestNode node = TestNode.start(network, config)) {
            assertThat(node.register(1)).isEqualTo(1);
            Command.CreatedTopic topic = node.createTopic("readings", 1000);
            Map<Long, Integer> opened = node.submit(new Command.OpenStreams(
                    1,
                    1,
                    node.image().topic(topic.topicId()).orElseThrow().streams().stream()
                            .map(id -> new Command.Claim(id, 0))
                            .toList()));
            assertThat(opened).hasSize(1000);
            before = node.image();
            assertThat(before.controllerId()).isEqualTo(1);
            assertThat(before.historyId().orElseThrow()).isNotEqualTo(Uuid.ZERO_UUID);
        }
        try (TestNode node = TestNode.start(new FrameServer(network.port()), config)) {
            TestNode.get(node.plane().barrier());
            assertThat(node.image().state()).isEqualTo(before.state());
            assertThat(node.image().metadata().topics())
                    .isEqualTo(before.metadata().topics());
            assertThat(node.register(1)).isEqualTo(2);
            assertThat(node.fatal()).isNull();
        }
    }

    /** A copy of the directory at any moment is what a kill leaves: each answered command is in it. */
    @Test
    void whatWasAnsweredIsInTheFilesAtThatMoment() throws Exception {
        FrameServer network = new FrameServer();
        try (TestNode node =
                TestNode.start(network, config(temp.resolve("a"), network).withSnapshots(20_000, 3_600_000, 1))) {
            node.register(1);
            for (int round = 0; round < 4; round++) {
                for (int i = 0; i < 50; i++) {
                    node.submit(new Command.CreateExtent(1, 1, i % 3));
                }
                Path killed = temp.resolve("killed-" + round);
                copy(temp.resolve("a"), killed);
                FrameServer other = new FrameServer();
                try (TestNode restarted = TestNode.start(other, config(killed, other))) {
                    TestNode.get(restarted.plane().barrier());
                    assertThat(restarted.image().extents()).hasSize(50 * (round + 1));
                    StateInvariants.check(
                            restarted.image().state(), restarted.image().metadata());
                    assertThat(restarted.fatal()).isNull();
                }
            }
            assertThat(node.fatal()).isNull();
        }
    }

    @Test
    void snapshotsAreWrittenAndWhatTheyCoverIsCleanedAway() throws Exception {
        FrameServer network = new FrameServer();
        ControlPlaneConfig config = config(temp.resolve("a"), network).withSnapshots(1 << 20, 3_600_000, 1);
        Path log = temp.resolve("a").resolve("__cluster_metadata-0");
        ShiftedTime time = new ShiftedTime();
        StateImage before;
        try (TestNode node = TestNode.start(network, config, time)) {
            node.register(1);
            String value = "x".repeat(32_000);
            for (int i = 0; i < 20; i++) {
                Map<String, @Nullable String> changes = new HashMap<>();
                for (int key = 0; key < 32; key++) {
                    changes.put("key-" + key, value + i);
                }
                node.submit(new Command.AlterConfigs((byte) 4, "", changes));
            }
            TestNode.await("two snapshots", () -> snapshots(log).size() >= 2);
            before = node.image();
            time.shiftMs.set(TimeUnit.MINUTES.toMillis(5));
            TestNode.await("the log's start is gone", () -> !Files.exists(log.resolve("00000000000000000000.log")));
            assertThat(node.fatal()).isNull();
        }
        try (TestNode node = TestNode.start(new FrameServer(network.port()), config)) {
            TestNode.get(node.plane().barrier());
            assertThat(node.image().state()).isEqualTo(before.state());
            assertThat(node.image().metadata().configs())
                    .isEqualTo(before.metadata().configs());
            assertThat(node.fatal()).isNull();
        }
    }

    /** A large one takes its time, and many subscribe when a node begins. */
    @Test
    void theWholeImageIsMadeOnceForAllWhoSubscribeToIt() throws Exception {
        FrameServer network = new FrameServer();
        try (TestNode node = TestNode.start(network, config(temp.resolve("a"), network))) {
            node.register(1);
            node.createTopic("readings", 10);
            List<ImageDelta> heard = new CopyOnWriteArrayList<>();
            node.plane().subscribe((delta, image) -> heard.add(delta));
            node.plane().subscribe((delta, image) -> heard.add(delta));
            TestNode.await("both have heard", () -> heard.size() == 2);
            assertThat(heard.get(1)).isSameAs(heard.get(0));
            assertThat(heard.get(0).streams()).hasSize(10);

            node.createTopic("more", 5);
            List<ImageDelta> later = new CopyOnWriteArrayList<>();
            node.plane().subscribe((delta, image) -> later.add(delta));
            TestNode.await("the later one has heard", () -> !later.isEmpty());
            assertThat(later.get(0).streams()).hasSize(15);
        }
    }

    /** More in a few records than fits into one batch of the log: 150 configurations with the longest names and values. */
    @Test
    void aStateOfLargeRecordsIsSnapshottedAndCanBeTheBeginningOfALog() throws Exception {
        FrameServer network = new FrameServer();
        ControlPlaneConfig config = config(temp.resolve("a"), network).withSnapshots(1 << 20, 3_600_000, 1);
        Path log = temp.resolve("a").resolve("__cluster_metadata-0");
        StateImage before;
        try (TestNode node = TestNode.start(network, config)) {
            node.register(1);
            for (int i = 0; i < 3; i++) {
                setLargeValues(node, "group-" + i, 0);
            }
            long all = node.image().offset();
            // A snapshot is written of the image that makes it due, unless the last one is being written
            setLargeValues(node, "group-0", 1);
            TestNode.await("no snapshot is being written", () -> !snapshots(log).isEmpty());
            setLargeValues(node, "group-0", 2);
            TestNode.await("a snapshot of all", () -> lastSnapshotOffset(log) > all);
            before = node.image();
            assertThat(node.fatal()).isNull();
        }
        try (TestNode node = TestNode.start(new FrameServer(network.port()), config)) {
            TestNode.get(node.plane().barrier());
            assertThat(node.image().state()).isEqualTo(before.state());
            assertThat(node.fatal()).isNull();
        }
        FrameServer other = new FrameServer();
        ControlPlaneConfig restored = config(temp.resolve("b"), other);
        ControlPlaneServer.restore(restored, before);
        try (TestNode node = TestNode.start(other, restored)) {
            TestNode.get(node.plane().barrier());
            assertThat(node.image().state()).isEqualTo(before.state());
            assertThat(node.fatal()).isNull();
        }
    }

    private static void setLargeValues(TestNode node, String group, int round) throws Exception {
        Map<String, @Nullable String> changes = new HashMap<>();
        for (int key = 0; key < 50; key++) {
            changes.put("k".repeat(32_000) + key, "x".repeat(32_000) + round);
        }
        node.submit(new Command.AlterConfigs(ConfigResource.Type.GROUP.id(), group, changes));
    }

    private static long lastSnapshotOffset(Path log) {
        return snapshots(log).stream()
                .map(path -> path.getFileName().toString())
                .mapToLong(name -> Long.parseLong(name.substring(0, name.indexOf('-'))))
                .max()
                .orElse(-1);
    }

    @Test
    void manyCommandsAtOnceAreEachAnsweredInTheImage() throws Exception {
        FrameServer network = new FrameServer();
        try (TestNode node = TestNode.start(network, config(temp.resolve("a"), network))) {
            node.register(1);
            List<java.util.concurrent.CompletionStage<Boolean>> answers = new ArrayList<>();
            for (int i = 0; i < 2000; i++) {
                answers.add(
                        node.plane().submit(new Command.CreateExtent(1, 1, 1)).thenApply(extent -> node.image()
                                .extent(extent.extentId())
                                .isPresent()));
            }
            for (var answer : answers) {
                assertThat(TestNode.get(answer)).isTrue();
            }
            assertThat(node.image().extents()).hasSize(2000);
        }
    }

    @Test
    void whatDoesNotFitIntoARecordIsRefusedAndHarmsNobody() throws Exception {
        FrameServer network = new FrameServer();
        try (TestNode node = TestNode.start(network, config(temp.resolve("a"), network))) {
            node.register(1);
            Map<String, @Nullable String> changes = new HashMap<>();
            changes.put("key", "x".repeat(40_000));
            refused(Reason.INVALID, node, new Command.AlterConfigs((byte) 4, "", changes));
            refused(Reason.INVALID, node, new Command.AlterConfigs((byte) 4, "y".repeat(40_000), Map.of("a", "b")));
            changes.clear();
            for (int i = 0; i < 400; i++) {
                changes.put("key-" + i, "x".repeat(32_000));
            }
            refused(Reason.INVALID, node, new Command.AlterConfigs((byte) 4, "", changes));
            node.createTopic("t", 1);
            assertThat(node.fatal()).isNull();
        }
    }

    private static void refused(Reason reason, TestNode node, Command<?> command) {
        assertThatThrownBy(() -> node.submit(command))
                .cause()
                .isInstanceOfSatisfying(CommandException.class, refusal -> assertThat(refusal.reason())
                        .isEqualTo(reason));
    }

    @Test
    void aRefusalNamesItsReason() throws Exception {
        FrameServer network = new FrameServer();
        try (TestNode node = TestNode.start(network, config(temp.resolve("a"), network))) {
            refused(Reason.FENCED, node, new Command.CreateExtent(1, 1, 1));
        }
    }

    @Test
    void preparedObjectsThatAreNotPublishedInTimeAreDoomedByTheController() throws Exception {
        FrameServer network = new FrameServer();
        try (TestNode node = TestNode.start(network, config(temp.resolve("a"), network))) {
            node.register(1);
            long object = node.submit(new Command.PrepareObjects(1, 1, 1, 1)).get(0);
            TestNode.await(
                    "the object is doomed",
                    () -> node.image().object(object).orElseThrow().phase()
                            == io.catchment.controlplane.ObjectState.Phase.DOOMED);
        }
    }

    @Test
    void aListenerThatThrowsEndsTheNode() throws Exception {
        FrameServer network = new FrameServer();
        ch.qos.logback.classic.Logger log = (ch.qos.logback.classic.Logger)
                org.slf4j.LoggerFactory.getLogger("io.catchment.controlplane.server.ControlThread");
        log.setLevel(ch.qos.logback.classic.Level.OFF);
        try (TestNode node = TestNode.start(network, config(temp.resolve("a"), network))) {
            node.register(1);
            node.plane().subscribe((delta, image) -> {
                if (image.topic("poison").isPresent()) {
                    throw new IllegalStateException("a broken listener");
                }
            });
            var unused = node.plane()
                    .submit(new Command.CreateTopics(
                            List.of(new Command.CreateTopic("poison", 1, (short) 1, Map.of())), false));
            TestNode.await("the failure is reported", () -> node.fatal() != null);
            assertThat(node.fatal()).hasMessage("a broken listener");
            assertThatThrownBy(() -> node.register(2)).cause().isInstanceOf(CommandException.class);
        } finally {
            log.setLevel(null);
        }
    }

    /** As the stock tool asks: kafka-metadata-quorum --bootstrap-controller. */
    @Test
    void theQuorumIsDescribedAtThePortThatTheNodeHasNow() throws Exception {
        for (int start = 0; start < 2; start++) {
            FrameServer network = new FrameServer();
            try (TestNode node = TestNode.start(network, config(temp.resolve("a"), network));
                    Admin admin = Admin.create(
                            Map.of(AdminClientConfig.BOOTSTRAP_CONTROLLERS_CONFIG, "localhost:" + network.port()))) {
                TestNode.get(node.plane().barrier());
                QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get(30, TimeUnit.SECONDS);
                assertThat(quorum.leaderId()).isEqualTo(1);
                assertThat(quorum.voters()).hasSize(1);
                assertThat(quorum.nodes().get(1).endpoints().iterator().next().port())
                        .isEqualTo(network.port());
                assertThat(node.fatal()).isNull();
            }
        }
    }

    @Test
    void aDirectoryIsUsedByOneProcessOnly() throws Exception {
        FrameServer network = new FrameServer();
        ControlPlaneConfig config = config(temp.resolve("a"), network);
        try (TestNode node = TestNode.start(network, config)) {
            assertThatThrownBy(() -> TestNode.start(network, config))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("in use by another process");
            node.register(1);
        }
    }

    private static ControlPlaneConfig config(Path directory, FrameServer network) {
        return ControlPlaneConfig.singleController(
                1, CLUSTER, directory, Set.of("broker", "wal", "controller"), "localhost", network.port());
    }

    private static List<Path> snapshots(Path log) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(log, "*.checkpoint")) {
            files.forEach(found::add);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return found.stream()
                .filter(path -> !path.getFileName().toString().startsWith("00000000000000000000-"))
                .toList();
    }

    private static void copy(Path from, Path to) throws IOException {
        List<Path> sources;
        try (Stream<Path> walk = Files.walk(from)) {
            sources = walk.filter(path -> !path.toString().endsWith(".part")).toList();
        }
        for (Path source : sources) {
            Path target = to.resolve(from.relativize(source).toString());
            if (Files.isDirectory(source)) {
                Files.createDirectories(target);
            } else if (Files.exists(source)) {
                Files.copy(source, target);
            }
        }
    }

    /** The system's time, which can be put forward. */
    private static final class ShiftedTime implements Time {
        private final AtomicLong shiftMs = new AtomicLong();

        @Override
        public long milliseconds() {
            return SYSTEM.milliseconds() + shiftMs.get();
        }

        @Override
        public long nanoseconds() {
            return SYSTEM.nanoseconds();
        }

        @Override
        public void sleep(long ms) {
            SYSTEM.sleep(ms);
        }
    }
}
