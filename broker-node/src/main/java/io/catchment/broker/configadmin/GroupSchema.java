package io.catchment.broker.configadmin;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.coordinator.group.GroupCoordinatorConfig;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;
import org.apache.kafka.server.config.ConfigSynonym;

/** The keys a group may have, with Kafka's validation against this node's limits for groups. Immutable. */
public final class GroupSchema {
    private final GroupCoordinatorConfig groups;
    private final ShareGroupConfig shareGroups;

    public GroupSchema(GroupCoordinatorConfig groups, ShareGroupConfig shareGroups) {
        this.groups = groups;
        this.shareGroups = shareGroups;
    }

    ConfigDef keys() {
        return GroupConfig.CONFIG_DEF;
    }

    static List<ConfigSynonym> synonyms(String key) {
        Optional<String> synonym = GroupConfig.ALL_GROUP_CONFIG_SYNONYMS.getOrDefault(key, Optional.empty());
        return synonym.map(name -> List.of(new ConfigSynonym(name))).orElseGet(List::of);
    }

    /** @throws org.apache.kafka.common.KafkaException with what is wrong */
    void validate(Map<String, String> overrides) {
        GroupConfig.validate(overrides, groups, shareGroups);
    }
}
