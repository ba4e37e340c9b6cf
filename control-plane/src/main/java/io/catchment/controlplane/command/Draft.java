package io.catchment.controlplane.command;

import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.proto.Record;
import io.catchment.controlplane.state.ChangeListener;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.StateBuilder;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/**
 * A decision in the making: the records so far and the state they lead to. Owned by the thread that decides. Each record is
 * replayed as it is added, so that later parts of a command see the earlier ones, and what cannot be replayed is never appended.
 */
final class Draft {
    private final List<LogRecord> records = new ArrayList<>();
    private final Conditions conditions;
    private ClusterState state;

    Draft(ClusterState state, Conditions conditions) {
        this.state = state;
        this.conditions = conditions;
    }

    ClusterState state() {
        return state;
    }

    List<LogRecord> records() {
        return List.copyOf(records);
    }

    Conditions conditions() {
        return conditions;
    }

    void own(Record.Builder record) {
        add(List.of(LogRecord.own(record)));
    }

    void kafka(ApiMessage message, short version) {
        add(List.of(LogRecord.kafka(message, version)));
    }

    /** Several in one step: cheaper, when nobody looks at the state between them. */
    void add(List<LogRecord> batch) {
        StateBuilder builder = new StateBuilder(state, ChangeListener.NONE);
        batch.forEach(builder::replay);
        state = builder.build();
        records.addAll(batch);
    }

    <R> Decision<R> accept(R answer) {
        return new Decision.Accepted<>(answer, List.copyOf(records), state);
    }

    static <R> Decision<R> refuse(Reason reason, String message) {
        return new Decision.Refused<>(reason, message);
    }

    /** Null if the node is in just this epoch; else why it must not do anything. */
    @Nullable
    String fenced(int nodeId, long nodeEpoch) {
        if (state.isCurrent(nodeId, nodeEpoch)) {
            return null;
        }
        var node = state.nodes().get(nodeId);
        return node == null
                ? "node " + nodeId + " is not registered; register it first"
                : "node " + nodeId + " epoch " + nodeEpoch + " is over: the node is in epoch " + node.epoch()
                        + (node.fenced() ? " and fenced" : "") + "; register again";
    }
}
