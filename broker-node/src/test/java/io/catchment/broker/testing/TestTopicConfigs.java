package io.catchment.broker.testing;

import io.catchment.broker.topic.TopicConfig;
import io.catchment.wal.Lane;
import org.apache.kafka.common.record.TimestampType;

/** A topic's configuration without a node's defaults. */
public final class TestTopicConfigs {
    private TestTopicConfigs() {}

    /** Deletes nothing by itself. */
    public static TopicConfig plain(Lane lane) {
        return new TopicConfig(
                1_048_588,
                Integer.MAX_VALUE,
                TimestampType.CREATE_TIME,
                Long.MAX_VALUE,
                3_600_000,
                "producer",
                null,
                lane,
                false,
                true,
                -1,
                -1,
                0.5,
                0,
                Long.MAX_VALUE,
                86_400_000,
                false,
                1);
    }
}
