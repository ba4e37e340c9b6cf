package io.catchment.broker.share;

import io.catchment.broker.share.partition.ShareLimits;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.coordinator.group.GroupConfigManager;
import org.apache.kafka.coordinator.group.ShareGroupAutoOffsetResetStrategy;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;

/** What share groups are configured to: their own configs, else the node's. Thread-safe. */
public final class GroupRules {
    private final GroupConfigManager groups;
    private final ShareGroupConfig defaults;

    public GroupRules(GroupConfigManager groups, ShareGroupConfig defaults) {
        this.groups = groups;
        this.defaults = defaults;
    }

    int sessionsMax() {
        return defaults.shareGroupMaxShareSessions();
    }

    ShareLimits limits(String group) {
        return groups.groupConfig(group)
                .map(config -> new ShareLimits(
                        config.sharePartitionMaxRecordLocks().orElse(defaults.shareGroupPartitionMaxRecordLocks()),
                        config.shareDeliveryCountLimit().orElse(defaults.shareGroupDeliveryCountLimit()),
                        config.shareRecordLockDurationMs().orElse(defaults.shareGroupRecordLockDurationMs()),
                        config.shareRenewAcknowledgeEnable()
                                .orElse(GroupConfig.SHARE_RENEW_ACKNOWLEDGE_ENABLE_DEFAULT)))
                .orElseGet(() -> new ShareLimits(
                        defaults.shareGroupPartitionMaxRecordLocks(),
                        defaults.shareGroupDeliveryCountLimit(),
                        defaults.shareGroupRecordLockDurationMs(),
                        GroupConfig.SHARE_RENEW_ACKNOWLEDGE_ENABLE_DEFAULT));
    }

    /** Whether records of open and aborted transactions are kept from the group. */
    boolean readsCommitted(String group) {
        return groups.groupConfig(group)
                        .flatMap(GroupConfig::shareIsolationLevel)
                        .orElseGet(GroupConfig::defaultShareIsolationLevel)
                == IsolationLevel.READ_COMMITTED;
    }

    ShareGroupAutoOffsetResetStrategy beginning(String group) {
        return groups.groupConfig(group)
                .flatMap(GroupConfig::shareAutoOffsetReset)
                .orElseGet(GroupConfig::defaultShareAutoOffsetReset);
    }
}
