package io.catchment.broker.topic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.wal.Lane;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TopicConfigsTest {
    private final FakeControlPlane controlPlane = new FakeControlPlane().withNode(1, "PLAINTEXT");

    @Test
    void aTopicWithoutKeysHasKafkasDefaults() {
        create("plain", Map.of());
        TopicConfig config = configs(Map.of()).forTopic("plain");

        assertThat(config.maxMessageBytes()).isEqualTo(1_048_588);
        assertThat(config.timestampType()).isEqualTo(TimestampType.CREATE_TIME);
        assertThat(config.timestampBeforeMaxMs()).isEqualTo(Long.MAX_VALUE);
        assertThat(config.timestampAfterMaxMs()).isEqualTo(3_600_000);
        assertThat(config.compressionType()).isEqualTo("producer");
        assertThat(config.compression()).isNull();
        assertThat(config.lane()).isEqualTo(Lane.NORMAL);
        assertThat(config.compacted()).isFalse();
        assertThat(config.deletes()).isTrue();
        assertThat(config.retentionMs()).isEqualTo(604_800_000);
        assertThat(config.retentionBytes()).isEqualTo(-1);
        assertThat(config.minInsyncReplicas()).isEqualTo(1);
    }

    @Test
    void theTopicsOwnKeysCountMoreThanTheNodes() {
        create(
                "own",
                Map.of(
                        "max.message.bytes",
                        "77",
                        "cleanup.policy",
                        "compact",
                        "catchment.priority",
                        "urgent",
                        "compression.type",
                        "zstd",
                        "message.timestamp.type",
                        "LogAppendTime"));
        TopicConfigs configs = configs(Map.of("message.max.bytes", "99", "log.retention.hours", "2"));
        TopicConfig config = configs.forTopic("own");

        assertThat(config.maxMessageBytes()).isEqualTo(77);
        assertThat(config.compacted()).isTrue();
        assertThat(config.deletes()).isFalse();
        assertThat(config.lane()).isEqualTo(Lane.URGENT);
        assertThat(config.compressionType()).isEqualTo("zstd");
        assertThat(config.compression()).isNotNull();
        assertThat(config.timestampType()).isEqualTo(TimestampType.LOG_APPEND_TIME);
        assertThat(config.retentionMs()).isEqualTo(7_200_000);
        assertThat(configs.forTopic("nobody").maxMessageBytes()).isEqualTo(99);
    }

    @Test
    void aLookUpAfterAChangeSeesItAndOneWithoutChangeKeepsTheView() {
        create("a", Map.of("max.message.bytes", "1000"));
        create("b", Map.of("max.message.bytes", "2000"));
        TopicConfigs configs = configs(Map.of());
        TopicConfig a = configs.forTopic("a");
        TopicConfig b = configs.forTopic("b");

        alter("a", "max.message.bytes", "1001");

        assertThat(configs.forTopic("a").maxMessageBytes()).isEqualTo(1001);
        assertThat(configs.forTopic("b")).isSameAs(b);
        alter("a", "max.message.bytes", null);
        assertThat(configs.forTopic("a").maxMessageBytes()).isEqualTo(1_048_588);
        assertThat(a.maxMessageBytes()).isEqualTo(1000);
    }

    @Test
    void aTopicDeletedAndCreatedAnewDoesNotKeepTheOldKeys() {
        create("again", Map.of("catchment.priority", "bulk"));
        TopicConfigs configs = configs(Map.of());
        assertThat(configs.forTopic("again").lane()).isEqualTo(Lane.BULK);

        controlPlane
                .submit(new Command.DeleteTopics(List.of(
                        controlPlane.image().topic("again").orElseThrow().topicId())))
                .toCompletableFuture()
                .join();
        assertThat(configs.forTopic("again").lane()).isEqualTo(Lane.NORMAL);
        create("again", Map.of("catchment.priority", "urgent"));
        assertThat(configs.forTopic("again").lane()).isEqualTo(Lane.URGENT);
    }

    @Test
    void validationIsKafkasAndOurs() {
        TopicSchema schema = new TopicSchema(Map.of());
        schema.validate(Map.of(), Map.of("retention.ms", "1", "catchment.priority", "bulk"));

        assertThatThrownBy(() -> schema.validate(Map.of(), Map.of("retention.sm", "1")))
                .isInstanceOf(InvalidConfigurationException.class)
                .hasMessage("Unknown topic config name: retention.sm");
        assertThatThrownBy(() -> schema.validate(Map.of(), Map.of("retention.ms", "x")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("retention.ms");
        assertThatThrownBy(() -> schema.validate(Map.of(), Map.of("catchment.priority", "high")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("catchment.priority");
        assertThatThrownBy(() ->
                        schema.validate(Map.of(), Map.of("min.compaction.lag.ms", "10", "max.compaction.lag.ms", "9")))
                .isInstanceOf(InvalidConfigurationException.class);
        assertThatThrownBy(() -> schema.validate(Map.of(), Map.of("remote.storage.enable", "true")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("Tiered Storage");
    }

    @Test
    void anInvalidNodeDefaultIsRefusedAtStart() {
        assertThatThrownBy(() -> new TopicSchema(Map.of("compression.type", "rar")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("compression.type");
    }

    @Test
    void effectiveValuesTellWhereTheyComeFrom() {
        TopicSchema schema = new TopicSchema(Map.of("log.retention.hours", "2"));
        Map<String, ConfigEntry> effective = schema.effective(Map.of("max.message.bytes", "5"));

        assertThat(effective)
                .hasEntrySatisfying("max.message.bytes", from(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, "5"))
                .hasEntrySatisfying("retention.ms", from(ConfigEntry.ConfigSource.STATIC_BROKER_CONFIG, "7200000"))
                .hasEntrySatisfying("catchment.priority", from(ConfigEntry.ConfigSource.DEFAULT_CONFIG, "normal"))
                .doesNotContainKey("internal.segment.bytes");
    }

    private static Consumer<ConfigEntry> from(ConfigEntry.ConfigSource source, String value) {
        return entry -> {
            assertThat(entry.source()).isEqualTo(source);
            assertThat(entry.value()).isEqualTo(value);
        };
    }

    private TopicConfigs configs(Map<String, String> nodeProperties) {
        return TopicConfigs.of(controlPlane, new TopicSchema(nodeProperties));
    }

    private void create(String name, Map<String, String> configs) {
        controlPlane
                .submit(new Command.CreateTopics(List.of(new Command.CreateTopic(name, 1, (short) 1, configs)), false))
                .toCompletableFuture()
                .join();
    }

    private void alter(String topic, String key, @Nullable String value) {
        Map<String, @Nullable String> changes = new HashMap<>();
        changes.put(key, value);
        controlPlane
                .submit(new Command.AlterConfigs((byte) 2, topic, changes))
                .toCompletableFuture()
                .join();
    }
}
