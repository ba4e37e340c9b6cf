package io.catchment.broker.group;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.coordinatorlog.LogTopicConfig;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.Command;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** Start, readiness, end. */
class GroupCoordinatorHostTest {

    @Test
    void beforeTheStartTheCoordinatorIsNotAvailable() {
        try (GroupFixture node = GroupFixture.notStarted(Map.of())) {
            GroupClient client = new GroupClient(node);
            assertThat(client.fetchError("g")).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
            assertThat(client.listGroupsError()).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
        }
    }

    @Test
    void aGroupWhosePartitionIsElsewhereIsNotCoordinatedHere() {
        try (GroupFixture node = GroupFixture.running()) {
            GroupClient client = new GroupClient(node);
            node.createTopic("readings", 1);
            node.closePartition(node.partitionOf("g"));
            assertThat(client.commit("g", "readings", 0, 1)).isEqualTo(Errors.NOT_COORDINATOR);
            assertThat(client.fetchError("g")).isEqualTo(Errors.NOT_COORDINATOR);
            assertThat(client.describe("g", true).errorCode()).isEqualTo(Errors.NOT_COORDINATOR.code());
            assertThat(client.deleteGroup("g")).isEqualTo(Errors.NOT_COORDINATOR);
        }
    }

    @Test
    void partitionsOpenedBeforeTheStartAreElectedAtTheStart() {
        try (GroupFixture node = GroupFixture.notStarted(Map.of())) {
            node.createTopic(GroupFixture.OFFSETS, 3);
            node.createTopic("readings", 1);
            node.openOffsetsPartitions();
            node.host.start(node.controlPlane.image());
            node.awaitLoaded();
            assertThat(new GroupClient(node).commit("g", "readings", 0, 1)).isEqualTo(Errors.NONE);
        }
    }

    @Test
    void fiftyEmptyPartitionsAreReadyWithoutARead() {
        try (GroupFixture node = GroupFixture.notStarted(Map.of("offsets.topic.num.partitions", "50"))) {
            node.createTopic(GroupFixture.OFFSETS, 50);
            node.host.start(node.controlPlane.image());
            node.openOffsetsPartitions();
            node.awaitLoaded();
            assertThat(node.partitions.reads()).as("nothing to read").isZero();
        }
    }

    @Test
    void groupsAreSpreadOverAsManyPartitionsAsTheTopicHas() {
        try (GroupFixture node = GroupFixture.notStarted(Map.of("offsets.topic.num.partitions", "50"))) {
            node.createTopic(GroupFixture.OFFSETS, 2);
            node.host.start(node.controlPlane.image());
            Set<Integer> used = new TreeSet<>();
            for (int group = 0; group < 100; group++) {
                used.add(node.partitionOf("group-" + group));
            }
            assertThat(used).containsExactly(0, 1);
        }
    }

    @Test
    void theEndLeavesNoThreadBehind() {
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        GroupFixture node = GroupFixture.running();
        node.createTopic("readings", 1);
        new GroupClient(node).commit("g", "readings", 0, 1);
        node.deleteTopic("readings");
        assertThat(groupThreads(before)).isNotEmpty();
        node.close();
        GroupFixture.await(() -> groupThreads(before).isEmpty(), "threads end: " + groupThreads(before));
        node.host.close();
        assertThat(new GroupClient(node).listGroupsError()).isEqualTo(Errors.COORDINATOR_NOT_AVAILABLE);
    }

    @Test
    void aHostThatWasNeverStartedCloses() {
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        GroupFixture.notStarted(Map.of()).close();
        GroupFixture.await(() -> groupThreads(before).isEmpty(), "threads end");
    }

    @Test
    void theLargestBatchFollowsTheTopicsConfiguration() {
        try (GroupFixture node = GroupFixture.running()) {
            LogTopicConfig config = new LogTopicConfig(GroupFixture.OFFSETS, node.controlPlane::image, 1_000_000);
            assertThat(config.get().maxMessageSize()).isEqualTo(1_000_000);
            var unused = node.controlPlane
                    .submit(new Command.AlterConfigs(
                            (byte) 2,
                            GroupFixture.OFFSETS,
                            Map.of("max.message.bytes", "123456", "catchment.priority", "urgent")))
                    .toCompletableFuture()
                    .join();
            assertThat(config.get().maxMessageSize()).isEqualTo(123_456);
            assertThat(config.get()).isSameAs(config.get());
        }
    }

    @Test
    void topicsCreatedWhileTheStartWasUnderWayAreKnown() {
        try (GroupFixture node = GroupFixture.notStarted(Map.of())) {
            node.createTopic(GroupFixture.OFFSETS, 3);
            ClusterImage old = node.controlPlane.image();
            Uuid readings = node.createTopic("readings", 2);
            node.host.start(old);
            node.openOffsetsPartitions();
            node.awaitLoaded();
            var joined = new GroupClient(node)
                    .beat(new ConsumerGroupHeartbeatRequestData()
                            .setGroupId("g")
                            .setMemberId(Uuid.randomUuid().toString())
                            .setRebalanceTimeoutMs(10_000)
                            .setSubscribedTopicNames(List.of("readings"))
                            .setTopicPartitions(List.of()));
            assertThat(joined.assignment().topicPartitions())
                    .extracting(topic -> topic.topicId())
                    .containsExactly(readings);
        }
    }

    @Test
    void theFiguresOfGroupsAreMeters() {
        try (GroupFixture node = GroupFixture.running()) {
            SimpleMeterRegistry registry = new SimpleMeterRegistry();
            node.host.meters().bindTo(registry);
            node.createTopic("readings", 2);
            new GroupClient(node).commitAll("g", "readings", 2, 5);
            assertThat(registry.get("catchment.group.offset.commits")
                            .functionCounter()
                            .count())
                    .isEqualTo(2);
            assertThat(registry.get("catchment.group.partitions")
                            .tag("state", "active")
                            .gauge()
                            .value())
                    .isEqualTo(3);
        }
    }

    private static List<String> groupThreads(Set<Thread> before) {
        return Arrays.stream(Thread.getAllStackTraces().keySet().toArray(new Thread[0]))
                .filter(thread -> !before.contains(thread) && thread.getName().contains("group-"))
                .map(Thread::getName)
                .collect(Collectors.toList());
    }
}
