package io.catchment.controlplane.command;

import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.state.ClusterState;
import java.util.List;

/** What becomes of a command on a given state. */
public sealed interface Decision<R> {

    /**
     * It is right.
     *
     * @param records what to append; none when the state is already as wanted
     * @param after the state with the records replayed
     */
    record Accepted<R>(R answer, List<LogRecord> records, ClusterState after) implements Decision<R> {}

    /** It has no effect on this state. */
    record Refused<R>(Reason reason, String message) implements Decision<R> {}
}
