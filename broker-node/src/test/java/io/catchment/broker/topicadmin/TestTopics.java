package io.catchment.broker.topicadmin;

import io.catchment.broker.quota.ClientQuotas;
import io.catchment.broker.quota.QuotaObserver;
import io.catchment.broker.quota.QuotaSettings;
import io.catchment.broker.share.state.ShareStateSettings;
import io.catchment.broker.transaction.TransactionSettings;
import io.catchment.broker.transaction.TransactionTopic;
import java.util.Map;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.coordinator.group.GroupCoordinatorConfig;

/** Settings that tests share: four partitions, three replicas, everything allowed. */
public final class TestTopics {
    private static final ClientQuotas NO_QUOTAS =
            new ClientQuotas(QuotaSettings.of(Map.of()), Time.SYSTEM, QuotaObserver.NONE);

    private TestTopics() {}

    /** Nobody is limited. */
    public static ClientQuotas noQuotas() {
        return NO_QUOTAS;
    }

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
