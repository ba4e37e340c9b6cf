package io.catchment.controlplane.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.log.LogBatch;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.ChangeListener;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.StateBuilder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What must hold from each batch of the log to the next, whoever led: P4 (one owner in a stream epoch), W2 (one length of an extent),
 * that nothing is done in the name of a node whose epoch was over, and that no object leaks (C4).
 */
final class LogCheck {
    private final Map<String, Integer> owners = new HashMap<>();
    private final Map<Long, Long> lengths = new HashMap<>();

    private LogCheck() {}

    /** What became of manifests. */
    static ManifestCheck check(List<LogBatch> log) {
        LogCheck check = new LogCheck();
        ManifestCheck manifests = new ManifestCheck();
        ClusterState state = ClusterState.EMPTY;
        for (LogBatch batch : log) {
            StateBuilder builder = new StateBuilder(state, ChangeListener.NONE);
            batch.records().forEach(builder::replay);
            ClusterState after = builder.build();
            for (LogRecord record : batch.records()) {
                if (record instanceof LogRecord.Own own) {
                    check.record(own.value(), state, after);
                    manifests.record(own.value(), state);
                }
            }
            state = after;
            manifests.state(state);
        }
        return manifests;
    }

    private void record(Record record, ClusterState before, ClusterState after) {
        switch (record.getKindCase()) {
            case STREAMS_OPENED -> {
                var opened = record.getStreamsOpened();
                assertThat(before.isCurrent(opened.getNodeId(), opened.getNodeEpoch()))
                        .as("a node opens streams in its present epoch: %s", opened)
                        .isTrue();
                var recovering = before.writersUnderRecovery();
                for (long id : opened.getStreamIdsList()) {
                    assertThat(stream(before, id).writers())
                            .as("stream %d is opened after its extents are sealed", id)
                            .noneMatch(recovering::contains);
                    owner(stream(after, id));
                }
            }
            case STREAMS_RESIGNED ->
                record.getStreamsResigned().getStreamsList().forEach(resigned -> {
                    StreamState old = stream(before, resigned.getStreamId());
                    assertThat(before.isCurrent(old.ownerNodeId(), old.ownerNodeEpoch()))
                            .as("who resigns %s has it open", old)
                            .isTrue();
                    assertThat(before.isCurrent(resigned.getOwner(), resigned.getOwnerEpoch()))
                            .isTrue();
                    owner(stream(after, resigned.getStreamId()));
                });
            case STREAMS_ASSIGNED ->
                record.getStreamsAssigned().getStreamIdsList().forEach(id -> {
                    StreamState old = stream(before, id);
                    boolean fencedHere = !after.isCurrent(old.ownerNodeId(), old.ownerNodeEpoch());
                    assertThat(fencedHere)
                            .as("%s is taken from nobody who serves it", old)
                            .isTrue();
                    owner(stream(after, id));
                });
            case EXTENT -> extent(record.getExtent().getExtentId(), before, after);
            default -> {
                // Says nothing of owners and lengths
            }
        }
    }

    private void extent(long id, ClusterState before, ClusterState after) {
        ExtentState old = before.extents().get(id);
        ExtentState now = after.extents().get(id);
        if (now == null) {
            return;
        }
        if (now.isSealed()) {
            Long length = lengths.putIfAbsent(id, now.length());
            assertThat(length == null || length == now.length())
                    .as("W2: %s", now)
                    .isTrue();
        }
        if (old == null) {
            assertThat(before.isCurrent(now.writerNodeId(), now.writerEpoch())).isTrue();
            placed(now, before);
        } else if (!old.isSealed() && now.isSealed()) {
            ExtentState.Recoverer recoverer = old.recoverer();
            boolean byWriter =
                    old.phase() == ExtentState.Phase.OPEN && before.isCurrent(old.writerNodeId(), old.writerEpoch());
            boolean byRecoverer = recoverer != null && before.isCurrent(recoverer.nodeId(), recoverer.nodeEpoch());
            assertThat(byWriter || byRecoverer).as("sealed by who may: %s", old).isTrue();
        } else if (old.isSealed()) {
            assertThat(now.isSealed()).as("sealed for ever: %s", now).isTrue();
        }
    }

    /** On a drained node only where others are too few; the writer may avoid its own store. */
    private static void placed(ExtentState extent, ClusterState state) {
        long others = state.nodes().values().stream()
                .filter(node -> node.takesMore() && node.has("wal") && node.nodeId() != extent.writerNodeId())
                .count();
        if (others >= extent.ackQuorum()) {
            assertThat(extent.ensemble())
                    .as("placed where it can stay: %s", extent)
                    .allMatch(store -> Objects.requireNonNull(state.nodes().get(store.nodeId()))
                            .takesMore());
        }
    }

    private void owner(StreamState stream) {
        Integer other = owners.putIfAbsent(stream.streamId() + "/" + stream.epoch(), stream.ownerNodeId());
        assertThat(other == null || other == stream.ownerNodeId())
                .as("P4: %s has one owner in its epoch, not also %s", stream, other)
                .isTrue();
    }

    private static StreamState stream(ClusterState state, long id) {
        return Objects.requireNonNull(state.streams().get(id), "stream " + id);
    }
}
