package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RawClient;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.StreamsGroupDescription;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.KeyValue;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.Subtopology;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData.TopicInfo;
import org.apache.kafka.common.message.StreamsGroupHeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A member of a streams group (KIP-1071) in raw heartbeats, against a whole node. */
class StreamsGroupEndToEndTest {
    private static final short VERSION = 0;
    private static final long DEADLINE_S = 30;
    private static final String SOURCE = "orders";
    private static final int SOURCE_PARTITIONS = 3;

    private final String member = Uuid.randomUuid().toString();
    private final String process = Uuid.randomUuid().toString();

    @Test
    void theTopicsOfATopologyAreCreatedAndItsTasksGivenOut(@TempDir Path directory) throws Exception {
        try (LocalNode node = LocalNode.start(directory, Map.of());
                RawClient client = new RawClient(node.port());
                Admin admin = Admin.create(Map.of("bootstrap.servers", node.bootstrap()))) {
            get(admin.createTopics(List.of(new NewTopic(SOURCE, SOURCE_PARTITIONS, (short) 1)))
                    .all());
            StreamsGroupHeartbeatResponseData beat = joined(client, "app", "compact");
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
            while (beat.activeTasks() == null || beat.activeTasks().size() < 2) {
                assertThat(System.nanoTime())
                        .as("waiting for tasks, last: %s", beat)
                        .isLessThan(deadline);
                Thread.sleep(100); // between two questions
                beat = goOn(client, "app", beat);
                assertThat(Errors.forCode(beat.errorCode())).isEqualTo(Errors.NONE);
            }
            Map<String, TopicDescription> topics =
                    get(admin.describeTopics(List.of("app-store-changelog", "app-by-article-repartition"))
                            .allTopicNames());
            assertThat(topics.get("app-by-article-repartition").partitions()).hasSize(SOURCE_PARTITIONS);
            assertThat(topics.get("app-store-changelog").partitions()).hasSize(SOURCE_PARTITIONS);
            ConfigResource changelog = new ConfigResource(ConfigResource.Type.TOPIC, "app-store-changelog");
            assertThat(get(admin.describeConfigs(List.of(changelog)).all())
                            .get(changelog)
                            .get("cleanup.policy")
                            .value())
                    .isEqualTo("compact");

            StreamsGroupDescription described =
                    get(admin.describeStreamsGroups(List.of("app")).all()).get("app");
            assertThat(described.members()).hasSize(1);
            assertThat(described.subtopologies()).hasSize(2);
            assertThat(get(admin.listGroups(ListGroupsOptions.forStreamsGroups())
                            .all()))
                    .anySatisfy(group -> {
                        assertThat(group.groupId()).isEqualTo("app");
                        assertThat(group.type()).contains(GroupType.STREAMS);
                    });
            assertThat(described.groupState()).isNotEqualTo(GroupState.DEAD);
        }
    }

    @Test
    void whyATopicCannotBeCreatedIsTold(@TempDir Path directory) throws Exception {
        try (LocalNode node = LocalNode.start(directory, Map.of());
                RawClient client = new RawClient(node.port());
                Admin admin = Admin.create(Map.of("bootstrap.servers", node.bootstrap()))) {
            get(admin.createTopics(List.of(new NewTopic(SOURCE, SOURCE_PARTITIONS, (short) 1)))
                    .all());
            StreamsGroupHeartbeatResponseData beat = joined(client, "app", "no such policy");
            assertThat(beat.status().toString())
                    .contains("app-store-changelog")
                    .contains("Creation failed")
                    .contains("no such policy");
        }
    }

    /** The coordinator's topic is created with the first question. */
    private StreamsGroupHeartbeatResponseData joined(RawClient client, String group, String cleanupPolicy)
            throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
        while (true) {
            client.call(
                    ApiKeys.FIND_COORDINATOR,
                    (short) 4,
                    new org.apache.kafka.common.message.FindCoordinatorRequestData()
                            .setCoordinatorKeys(List.of(group)));
            StreamsGroupHeartbeatResponseData beat = client.call(
                    ApiKeys.STREAMS_GROUP_HEARTBEAT,
                    VERSION,
                    message(group)
                            .setMemberEpoch(0)
                            .setRebalanceTimeoutMs(30_000)
                            .setTopology(topology(group, cleanupPolicy)));
            if (beat.errorCode() == Errors.NONE.code()) {
                return beat;
            }
            assertThat(System.nanoTime()).as("joining, last: %s", beat).isLessThan(deadline);
            Thread.sleep(50); // between two questions
        }
    }

    private StreamsGroupHeartbeatResponseData goOn(
            RawClient client, String group, StreamsGroupHeartbeatResponseData last) throws Exception {
        return client.call(
                ApiKeys.STREAMS_GROUP_HEARTBEAT, VERSION, message(group).setMemberEpoch(last.memberEpoch()));
    }

    private StreamsGroupHeartbeatRequestData message(String group) {
        return new StreamsGroupHeartbeatRequestData()
                .setGroupId(group)
                .setMemberId(member)
                .setProcessId(process)
                .setActiveTasks(List.of())
                .setStandbyTasks(List.of())
                .setWarmupTasks(List.of());
    }

    private static StreamsGroupHeartbeatRequestData.Topology topology(String group, String cleanupPolicy) {
        String repartition = group + "-by-article-repartition";
        return new StreamsGroupHeartbeatRequestData.Topology()
                .setEpoch(0)
                .setSubtopologies(List.of(
                        new Subtopology()
                                .setSubtopologyId("0")
                                .setSourceTopics(List.of(SOURCE))
                                .setRepartitionSinkTopics(List.of(repartition)),
                        new Subtopology()
                                .setSubtopologyId("1")
                                .setRepartitionSourceTopics(List.of(new TopicInfo().setName(repartition)))
                                .setStateChangelogTopics(List.of(new TopicInfo()
                                        .setName(group + "-store-changelog")
                                        .setTopicConfigs(List.of(new KeyValue()
                                                .setKey("cleanup.policy")
                                                .setValue(cleanupPolicy)))))));
    }

    private static <T> T get(KafkaFuture<T> future) throws Exception {
        return future.get(DEADLINE_S, TimeUnit.SECONDS);
    }
}
