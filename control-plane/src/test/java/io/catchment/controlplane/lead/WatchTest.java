package io.catchment.controlplane.lead;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.ExtentState;
import io.catchment.controlplane.ExtentState.Phase;
import io.catchment.controlplane.ExtentState.Recoverer;
import io.catchment.controlplane.ExtentState.Store;
import io.catchment.controlplane.NodeLoad;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.TaskState;
import io.catchment.controlplane.TaskState.Kind;
import io.catchment.controlplane.command.Observed;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.ChangeListener;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.ClusterState.TaskKey;
import io.catchment.controlplane.state.Protos;
import io.catchment.controlplane.state.StateBuilder;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class WatchTest {
    private static final Map<Integer, NodeLoad> IDLE = Map.of(1, NodeLoad.IDLE);

    private final StateBuilder builder = new StateBuilder(ClusterState.EMPTY, ChangeListener.NONE);
    private final Watch watch = new Watch(10_000, 5_000);

    @Test
    void aRecoveryThatItsNodeDoesNotMentionIsStuckAfterItsLease() {
        node(1);
        extent(extent(7, Phase.OPEN).recovering(20, new Recoverer(1, 11)));
        watch.begin();
        assertThat(look(0, IDLE).stuckRecoveries()).isEmpty();
        assertThat(look(9_999, IDLE).stuckRecoveries()).isEmpty();
        assertThat(look(10_000, IDLE).stuckRecoveries()).containsExactly(7L);
        assertThat(look(10_100, Map.of(1, worksOn(7))).stuckRecoveries()).isEmpty();
        assertThat(look(20_000, IDLE).stuckRecoveries()).isEmpty();
        // Another recovery epoch is another recovery
        extent(extent(7, Phase.OPEN).recovering(21, new Recoverer(1, 11)));
        assertThat(look(20_100, IDLE).stuckRecoveries()).isEmpty();
        assertThat(look(30_100, IDLE).stuckRecoveries()).containsExactly(7L);
        watch.begin();
        assertThat(look(30_200, IDLE).stuckRecoveries()).isEmpty();
    }

    @Test
    void aTaskThatItsNodeDoesNotMentionIsStuckAfterItsLease() {
        node(1);
        extent(extent(7, Phase.OPEN).as(Phase.SEALED, 20, 100, List.of(new Store(1, "store-1"))));
        builder.replay(LogRecord.own(Record.newBuilder().setTask(Protos.task(new TaskState(Kind.FLUSH, 7, 1, 11)))));
        watch.begin();
        assertThat(look(0, IDLE).stuckTasks()).isEmpty();
        assertThat(look(9_000, Map.of(1, worksOn(7))).stuckTasks()).isEmpty();
        assertThat(look(18_000, IDLE).stuckTasks()).isEmpty();
        assertThat(look(19_000, IDLE).stuckTasks()).containsExactly(new TaskKey(Kind.FLUSH, 7));
    }

    @Test
    void aHolderThatIsAwayForAMomentIsWaitedFor() {
        node(1);
        node(2);
        extent(extent(7, Phase.OPEN).as(Phase.SEALED, 20, 100, List.of(new Store(1, "store-1"))));
        watch.begin();
        assertThat(look(0, IDLE).lacking()).isEmpty();
        assertThat(look(4_999, IDLE).lacking()).isEmpty();
        assertThat(look(5_000, IDLE).lacking()).containsExactly(7L);
        extent(extent(7, Phase.OPEN)
                .as(Phase.SEALED, 20, 100, List.of(new Store(1, "store-1"), new Store(2, "store-2"))));
        assertThat(look(5_100, IDLE).lacking()).isEmpty();
    }

    @Test
    void wishesToDrainArePassedOn() {
        node(1);
        watch.begin();
        NodeLoad wish = new NodeLoad(List.of(), List.of(), 1, 1, 0, true, Map.of(), Set.of(), 0);
        assertThat(look(0, Map.of(1, wish, 9, wish)).drainWishes()).containsExactly(1);
    }

    private Observed look(long nowMs, Map<Integer, NodeLoad> figures) {
        return watch.look(state(), figures, nowMs);
    }

    private ClusterState state() {
        return builder.build();
    }

    private void node(int id) {
        NodeState node = new NodeState(
                id,
                10 + id,
                "store-" + id,
                List.of(),
                "z",
                List.of("broker", "wal"),
                Uuid.ZERO_UUID,
                false,
                true,
                false);
        builder.replay(LogRecord.own(Record.newBuilder().setNode(Protos.node(node))));
    }

    private void extent(ExtentState extent) {
        builder.replay(LogRecord.own(Record.newBuilder().setExtent(Protos.extent(extent))));
    }

    private static ExtentState extent(long id, Phase phase) {
        return new ExtentState(
                id, 3, 9, 9, 1, List.of(new Store(1, "store-1"), new Store(2, "store-2")), 1, phase, -1, List.of());
    }

    private static NodeLoad worksOn(long extent) {
        return new NodeLoad(List.of(), List.of(), 1, 1, 0, false, Map.of(), Set.of(extent), 0);
    }
}
