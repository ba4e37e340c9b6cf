package io.catchment.controlplane.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.archive.Archives;
import io.catchment.controlplane.archive.Restoration;
import io.catchment.controlplane.image.StateImage;
import io.catchment.controlplane.server.ControlPlaneConfig.Formation;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.StateInvariants;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A cluster on real Raft whose log begins with the state of one that is gone. */
class RestoredClusterTest {
    private static final Set<String> ROLES = Set.of("broker", "wal", "controller");

    @TempDir
    Path temp;

    private StateImage restored() throws Exception {
        FrameServer network = new FrameServer();
        try (TestNode node = TestNode.start(
                network,
                ControlPlaneConfig.singleController(
                        1, "old", temp.resolve("old"), ROLES, "localhost", network.port()))) {
            long epoch = node.register(1);
            Command.CreatedTopic topic = node.createTopic("readings", 1_000);
            node.submit(new Command.OpenStreams(
                    1,
                    epoch,
                    node.image().topic(topic.topicId()).orElseThrow().streams().stream()
                            .map(id -> new Command.Claim(id, 0))
                            .toList()));
            return new Restoration(Archives.of(node.image(), 1), "new", new Uuid(4, 2), 2, 1_000)
                    .finish()
                    .image();
        }
    }

    @Test
    void theFirstControllerHasTheStateAndOthersAndARestartGetIt() throws Exception {
        StateImage state = restored();
        FrameServer network = new FrameServer();
        FrameServer second = new FrameServer();
        String first = "localhost:" + network.port();
        ControlPlaneConfig config = ControlPlaneConfig.joining(
                1,
                "new",
                temp.resolve("new-1"),
                ROLES,
                "localhost",
                network.port(),
                Formation.FORM_OR_JOIN,
                List.of(first, "localhost:" + second.port()));
        ControlPlaneServer.restore(config, state);
        assertThatThrownBy(() -> ControlPlaneServer.restore(config, state)).isInstanceOf(IOException.class);
        ClusterState now;
        try (TestNode node = TestNode.start(network, config);
                TestNode voter = TestNode.start(
                        second,
                        ControlPlaneConfig.joining(
                                2,
                                "new",
                                temp.resolve("new-2"),
                                ROLES,
                                "localhost",
                                second.port(),
                                Formation.JOIN_AND_VOTE,
                                config.controllers()))) {
            TestNode.get(node.plane().barrier());
            assertThat(node.image().state()).isEqualTo(state.state());
            assertThat(node.image().metadata().topics())
                    .isEqualTo(state.metadata().topics());
            node.register(1);
            TestNode.get(voter.plane().barrier());
            assertThat(voter.image().state()).isEqualTo(node.image().state());
            assertThat(voter.image().streams()).hasSize(1_000).allMatch(stream -> stream.ownerNodeId() == 1);
            StateInvariants.check(voter.image().state(), voter.image().metadata());
            assertThat(node.fatal()).isNull();
            assertThat(voter.fatal()).isNull();
            now = node.image().state();
        }
        FrameServer again = new FrameServer();
        FrameServer secondAgain = new FrameServer();
        assertThat(now.nodes()).hasSize(1);
        try (TestNode node = TestNode.start(
                        again,
                        ControlPlaneConfig.joining(
                                1,
                                "new",
                                temp.resolve("new-1"),
                                ROLES,
                                "localhost",
                                again.port(),
                                Formation.FORM_OR_JOIN,
                                List.of("localhost:" + again.port(), "localhost:" + secondAgain.port())));
                TestNode voter = TestNode.start(
                        secondAgain,
                        ControlPlaneConfig.joining(
                                2,
                                "new",
                                temp.resolve("new-2"),
                                ROLES,
                                "localhost",
                                secondAgain.port(),
                                Formation.JOIN_AND_VOTE,
                                List.of("localhost:" + again.port(), "localhost:" + secondAgain.port())))) {
            TestNode.get(node.plane().barrier());
            assertThat(node.image().state()).isEqualTo(now);
            assertThat(voter.fatal()).isNull();
        }
    }
}
