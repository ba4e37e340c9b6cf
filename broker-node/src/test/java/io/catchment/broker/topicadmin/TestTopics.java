package io.catchment.broker.topicadmin;

import io.catchment.broker.share.state.ShareStateSettings;
import io.catchment.broker.transaction.TransactionSettings;
import io.catchment.broker.transaction.TransactionTopic;
import java.util.Map;
import org.apache.kafka.coordinator.group.GroupCoordinatorConfig;

/** Settings that tests share: four partitions, three replicas, everything allowed. */
public final class TestTopics {
    private TestTopics() {}

    public static TopicAdminConfig config() {
        return new TopicAdminConfig(
                4,
                (short) 3,
                true,
                TopicAdminConfig.offsetsTopic(GroupCoordinatorConfig.fromProps(Map.of())),
                TransactionTopic.topic(TransactionSettings.of(Map.of())),
                ShareStateSettings.of(Map.of()).topic());
    }
}
