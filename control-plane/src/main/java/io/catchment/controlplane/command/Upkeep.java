package io.catchment.controlplane.command;

import io.catchment.controlplane.Command;
import io.catchment.controlplane.log.LogRecord;
import io.catchment.controlplane.state.ClusterState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.metadata.FeatureLevelRecord;
import org.apache.kafka.server.common.GroupVersion;
import org.apache.kafka.server.common.MetadataVersion;

/** What the active controller does by itself. Pure: the records that are due on a state, none when nothing is. */
public final class Upkeep {
    /** Objects doomed in one step. */
    private static final int EXPIRED_MAX = 1000;

    private static final Map<String, Short> FEATURES = Map.of(
            MetadataVersion.FEATURE_NAME, MetadataVersion.LATEST_PRODUCTION.featureLevel(),
            GroupVersion.FEATURE_NAME, GroupVersion.GV_1.featureLevel());

    private Upkeep() {}

    /** Features of a new cluster, or that the state was written without. */
    public static List<LogRecord> missingFeatures(ClusterState state) {
        List<LogRecord> records = new ArrayList<>();
        // The metadata version first: Kafka's image wants it before it writes anything
        FEATURES.entrySet().stream()
                .sorted(Map.Entry.<String, Short>comparingByKey().reversed())
                .filter(feature -> !state.features().containsKey(feature.getKey()))
                .forEach(feature -> records.add(LogRecord.kafka(
                        new FeatureLevelRecord().setName(feature.getKey()).setFeatureLevel(feature.getValue()),
                        (short) 0)));
        return records;
    }

    /** Prepared objects whose time is over, and streams without an owner though there are brokers. */
    public static List<LogRecord> due(ClusterState state, Conditions conditions) {
        List<Long> expired = state.prepared().stream()
                .filter(id -> ObjectRules.isExpired(state.objects().get(id), conditions.nowMs()))
                .limit(EXPIRED_MAX)
                .toList();
        Draft draft = new Draft(state, conditions);
        if (!expired.isEmpty()) {
            ObjectRules.expire(new Command.ExpireObjects(expired), draft);
        }
        NodeRules.assignUnowned(draft);
        return draft.records();
    }
}
