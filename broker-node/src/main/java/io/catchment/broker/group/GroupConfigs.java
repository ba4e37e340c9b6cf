package io.catchment.broker.group;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.coordinator.group.GroupCoordinator;
import org.apache.kafka.image.ConfigurationsImage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hands the configs of single groups (ConfigResource GROUP) to the coordinator. Owned by the image feed's thread. */
final class GroupConfigs {
    private static final Logger LOG = LoggerFactory.getLogger(GroupConfigs.class);

    private final GroupCoordinator coordinator;
    private ConfigurationsImage seen = ConfigurationsImage.EMPTY;
    private Map<String, Properties> applied = Map.of();

    GroupConfigs(GroupCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @SuppressWarnings("ReferenceEquality") // images share what did not change
    void apply(ConfigurationsImage image) {
        if (image == seen) {
            return;
        }
        Map<String, Properties> present = new HashMap<>();
        for (ConfigResource resource : image.resourceData().keySet()) {
            if (resource.type() == ConfigResource.Type.GROUP) {
                present.put(resource.name(), image.configProperties(resource));
            }
        }
        present.forEach((group, config) -> {
            if (!config.equals(applied.get(group))) {
                update(group, config);
            }
        });
        Set<String> gone = new HashSet<>(applied.keySet());
        gone.removeAll(present.keySet());
        gone.forEach(group -> update(group, new Properties()));
        applied = present;
        seen = image;
    }

    private void update(String group, Properties config) {
        try {
            coordinator.updateGroupConfig(group, config);
        } catch (RuntimeException e) {
            LOG.error("Config {} of group {} cannot be used, the former one stays", config, group, e);
        }
    }
}
