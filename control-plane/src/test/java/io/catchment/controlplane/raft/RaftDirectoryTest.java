package io.catchment.controlplane.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.Barrier;
import io.catchment.controlplane.proto.Record;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.server.common.OffsetAndEpoch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RaftDirectoryTest {
    private static final String PROPERTIES = "control-plane.properties";

    @TempDir
    Path temp;

    @Test
    void theDirectoryKeepsItsId() throws Exception {
        Uuid id = open(1, "c");
        assertThat(open(1, "c")).isEqualTo(id);
        assertThat(temp.resolve("__cluster_metadata-0/00000000000000000000-0000000000.checkpoint"))
                .exists();
    }

    @Test
    void anotherNodesOrClustersDirectoryIsRefused() throws Exception {
        open(1, "c");
        assertThatThrownBy(() -> open(2, "c")).isInstanceOf(IOException.class).hasMessageContaining("node.id=1");
        assertThatThrownBy(() -> open(1, "d")).isInstanceOf(IOException.class).hasMessageContaining("cluster.id=c");
    }

    @Test
    void aFormatThatWasCutShortIsDoneAgain() throws Exception {
        Uuid id = open(1, "c");
        Files.delete(temp.resolve(PROPERTIES));
        assertThat(open(1, "c")).isNotEqualTo(id);
    }

    @Test
    void aUsedDirectoryWithoutItsPropertiesIsRefused() throws Exception {
        open(1, "c");
        Files.delete(temp.resolve(PROPERTIES));
        Files.writeString(temp.resolve("__cluster_metadata-0/quorum-state"), "{}");
        assertThatThrownBy(() -> open(1, "c"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("quorum-state")
                .hasMessageContaining("restore it");
    }

    @Test
    void aDirectoryWithoutItsLogOrIdIsRefused() throws Exception {
        open(1, "c");
        Path log = temp.resolve("__cluster_metadata-0");
        Files.move(log, temp.resolve("elsewhere"));
        assertThatThrownBy(() -> open(1, "c")).isInstanceOf(IOException.class).hasMessageContaining("damaged");
        Files.move(temp.resolve("elsewhere"), log);
        Files.writeString(temp.resolve(PROPERTIES), "version=1\ncluster.id=c\nnode.id=1\n");
        assertThatThrownBy(() -> open(1, "c")).isInstanceOf(IOException.class).hasMessageContaining("damaged");
    }

    @Test
    void anUnknownVersionIsRefused() throws Exception {
        open(1, "c");
        Files.writeString(temp.resolve(PROPERTIES), "version=9\n");
        assertThatThrownBy(() -> open(1, "c")).isInstanceOf(IOException.class).hasMessageContaining("version=9");
    }

    @Test
    void aDirectoryIsLockedWhileItIsOpen() throws Exception {
        try (RaftDirectory held = RaftDirectory.open(config(1, "c"), true)) {
            assertThatThrownBy(() -> open(1, "c"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("in use");
            assertThat(held.directoryId()).isNotNull();
        }
        open(1, "c");
    }

    @Test
    void whatACrashLeavesOfARestorationIsRefusedByANodeAndClearedByTheNextRestoration() throws Exception {
        RaftConfig config = config(1, "c");
        LogRecord record = LogRecord.own(Record.newBuilder().setBarrier(Barrier.getDefaultInstance()));
        assertThatThrownBy(() -> RaftDirectory.restore(config, new OffsetAndEpoch(1_000, 1), 5, sink -> {
                    sink.append(List.of(record));
                    throw new IllegalStateException("a crash");
                }))
                .hasMessage("a crash");
        assertThatThrownBy(() -> open(1, "c"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("run the recovery again");
        RaftDirectory.restore(config, new OffsetAndEpoch(1_000, 1), 5, sink -> sink.append(List.of(record)));
        assertThat(open(1, "c")).isNotNull();
        assertThatThrownBy(() -> RaftDirectory.restore(config, new OffsetAndEpoch(1_000, 1), 5, sink -> {}))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("holds a cluster's state already");
    }

    private Uuid open(int nodeId, String clusterId) throws IOException {
        try (RaftDirectory directory = RaftDirectory.open(config(nodeId, clusterId), true)) {
            return directory.directoryId();
        }
    }

    private RaftConfig config(int nodeId, String clusterId) {
        return new RaftConfig(
                nodeId, clusterId, temp, true, false, "CONTROLLER", "h", 1, List.of(), 300, 1000, 1000, 8 << 20, 1);
    }
}
