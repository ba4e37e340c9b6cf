package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import io.catchment.controlplane.ObjectState;
import io.catchment.controlplane.ObjectState.Phase;
import io.catchment.controlplane.proto.ObjectsDoomed;
import io.catchment.controlplane.proto.ObjectsForgotten;
import io.catchment.controlplane.proto.ObjectsPrepared;
import io.catchment.controlplane.proto.Record;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** Object ids before an upload, and objects after their end. */
final class ObjectRules {
    /** Ids that one command may take. */
    static final int IDS_MAX = 10_000;

    private ObjectRules() {}

    static Decision<List<Long>> prepare(Command.PrepareObjects command, Draft draft) {
        @Nullable String fenced = draft.fenced(command.nodeId(), command.nodeEpoch());
        if (fenced != null) {
            return Draft.refuse(Reason.FENCED, fenced);
        }
        if (command.count() < 1 || command.count() > IDS_MAX || command.ttlMs() < 1) {
            return Draft.refuse(
                    Reason.INVALID, "from 1 to " + IDS_MAX + " ids for at least 1 ms can be taken: " + command);
        }
        long first = draft.state().nextObjectId();
        long now = draft.conditions().nowMs();
        draft.own(Record.newBuilder()
                .setObjectsPrepared(ObjectsPrepared.newBuilder()
                        .setFirstObjectId(first)
                        .setCount(command.count())
                        .setAtMs(now)
                        .setDeadlineMs(now + command.ttlMs())));
        return draft.accept(
                LongStream.range(first, first + command.count()).boxed().toList());
    }

    static Decision<Command.Done> expire(Command.ExpireObjects command, Draft draft) {
        long now = draft.conditions().nowMs();
        List<Long> expired = command.objectIds().stream()
                .distinct()
                .filter(id -> isExpired(draft.state().objects().get(id), now))
                .toList();
        if (!expired.isEmpty()) {
            draft.own(Record.newBuilder()
                    .setObjectsDoomed(
                            ObjectsDoomed.newBuilder().addAllObjectIds(expired).setAtMs(now)));
        }
        return draft.accept(new Command.Done());
    }

    static Decision<Command.Done> forget(Command.ForgetObjects command, Draft draft) {
        List<ObjectState> present = command.objectIds().stream()
                .distinct()
                .filter(id -> draft.state().objects().containsKey(id))
                .map(id -> draft.state().objects().get(id))
                .toList();
        for (ObjectState object : present) {
            if (object.phase() != Phase.DOOMED) {
                return Draft.refuse(
                        Reason.INVALID,
                        "object " + object.objectId() + " is " + object.phase() + " with " + object.references()
                                + " references, not doomed: it must not be deleted (O2, O3)");
            }
        }
        if (!present.isEmpty()) {
            draft.own(Record.newBuilder()
                    .setObjectsForgotten(ObjectsForgotten.newBuilder()
                            .addAllObjectIds(
                                    present.stream().map(ObjectState::objectId).toList())));
        }
        return draft.accept(new Command.Done());
    }

    static boolean isExpired(@Nullable ObjectState object, long nowMs) {
        return object != null && object.phase() == Phase.PREPARED && object.deadlineMs() <= nowMs;
    }
}
