package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.NodeState;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.state.ClusterState;
import io.catchment.controlplane.state.Protos;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.server.common.GroupVersion;
import org.apache.kafka.server.common.MetadataVersion;
import org.apache.kafka.server.common.ShareVersion;

/** What the active controller does by itself. Pure: the records that are due on a state, none when nothing is. */
public final class Upkeep {
    /** Objects doomed in one step. */
    private static final int EXPIRED_MAX = 1000;

    private static final Map<String, Short> FEATURES = Map.of(
            MetadataVersion.FEATURE_NAME, MetadataVersion.LATEST_PRODUCTION.featureLevel(),
            GroupVersion.FEATURE_NAME, GroupVersion.GV_1.featureLevel(),
            ShareVersion.FEATURE_NAME, ShareVersion.SV_1.featureLevel());

    private Upkeep() {}

    /**
     * What an active controller begins with: a new cluster's history and features, and features that the state was written without.
     *
     * @param newId of a history
     */
    public static List<LogRecord> beginning(ClusterState state, Supplier<Uuid> newId) {
        List<LogRecord> records = new ArrayList<>();
        // A state that has features has lived: its history has its id, or none for ever
        if (state.features().isEmpty() && state.historyId().equals(Uuid.ZERO_UUID)) {
            records.add(Protos.historyBegun(newId.get()));
        }
        records.addAll(missingFeatures(state));
        return records;
    }

    /** Features of a new cluster, or that the state was written without. */
    public static List<LogRecord> missingFeatures(ClusterState state) {
        List<LogRecord> records = new ArrayList<>();
        // The metadata version first: Kafka's image wants it before it writes anything
        FEATURES.entrySet().stream()
                .sorted(Comparator.<Map.Entry<String, Short>, Boolean>comparing(
                                feature -> !feature.getKey().equals(MetadataVersion.FEATURE_NAME))
                        .thenComparing(Map.Entry::getKey))
                .filter(feature -> !state.features().containsKey(feature.getKey()))
                .forEach(feature -> records.add(LogRecord.kafka(
                        new FeatureLevelRecord().setName(feature.getKey()).setFeatureLevel(feature.getValue()),
                        (short) 0)));
        return records;
    }

    /** Which streams begin to move on a state. */
    @FunctionalInterface
    public interface Moves {
        List<Command.Move> on(ClusterState state);
    }

    /**
     * Prepared objects whose time is over; whatever a dead node left without somebody in charge; copies on stores that nobody has any more;
     * streams that should move; tasks.
     */
    public static List<LogRecord> due(ClusterState state, Conditions conditions, Observed observed, Moves moves) {
        List<Long> expired = state.prepared().stream()
                .filter(id -> ObjectRules.isExpired(state.objects().get(id), conditions.nowMs()))
                .limit(EXPIRED_MAX)
                .toList();
        Draft draft = new Draft(state, conditions);
        if (!expired.isEmpty()) {
            ObjectRules.expire(new Command.ExpireObjects(expired), draft);
        }
        Takeover.recoverExtents(draft, observed.stuckRecoveries());
        Takeover.assignOrphans(draft);
        for (int node : observed.drainWishes()) {
            NodeRules.drain(new Command.DrainNode(node, true), draft);
        }
        NodeRules.forgetFormerCopies(draft);
        forgetDeadTargets(draft);
        List<Command.Move> begin = moves.on(draft.state());
        if (!begin.isEmpty()) {
            StreamRules.target(draft, begin, false);
        }
        TaskRules.giveOut(draft, observed.lacking(), observed.stuckTasks());
        return draft.records();
    }

    /** The owner keeps them; where it cannot, the next look finds another target. */
    private static void forgetDeadTargets(Draft draft) {
        ClusterState state = draft.state();
        List<Command.Move> dead = new ArrayList<>();
        for (long streamId : state.moving()) {
            StreamState stream = state.streams().get(streamId);
            NodeState target = stream == null ? null : state.nodes().get(stream.targetNodeId());
            if (target == null || !target.isLive()) {
                dead.add(new Command.Move(streamId, Command.Move.STAY));
            }
        }
        if (!dead.isEmpty()) {
            StreamRules.target(draft, dead, false);
        }
    }
}
