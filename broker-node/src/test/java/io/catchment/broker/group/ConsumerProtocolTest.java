package io.catchment.broker.group;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.controlplane.Command;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData.TopicPartitions;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The consumer protocol (KIP-848) over the coordinator's view of our topics. */
class ConsumerProtocolTest {
    private final GroupFixture node = GroupFixture.running(Map.of("group.consumer.assignment.interval.ms", "0"));
    private final GroupClient client = new GroupClient(node);

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void threeMembersShareThePartitionsAndTakeOverFromOneThatLeaves() {
        node.createTopic("readings", 6);
        List<Member> members = List.of(new Member("shared"), new Member("shared"), new Member("shared"));
        members.forEach(member -> member.join(List.of("readings"), null));
        beatUntil(members, 6);
        assertThat(members).allSatisfy(member -> assertThat(member.owned).hasSize(2));

        Member leaving = members.get(0);
        leaving.leave();
        List<Member> rest = members.subList(1, 3);
        beatUntil(rest, 6);
        assertThat(rest).allSatisfy(member -> assertThat(member.owned).hasSize(3));

        var described = client.describeConsumerGroup("shared");
        assertThat(described.groupState()).isEqualTo("Stable");
        assertThat(described.members()).hasSize(2);
        assertThat(described.authorizedOperations())
                .isNotEqualTo(Integer.MIN_VALUE)
                .isNotZero();
    }

    @Test
    void aPatternFindsItsTopicsAndThoseCreatedLater() {
        node.createTopic("site-a", 2);
        node.createTopic("other", 2);
        Member member = new Member("pattern");
        member.join(null, "site-.*");
        beatUntil(List.of(member), 2);

        node.createTopic("site-b", 3);
        beatUntil(List.of(member), 5);

        node.deleteTopic("site-a");
        beatUntil(List.of(member), 3);
    }

    @Test
    void theConfigOfAGroupReachesItsMembers() {
        node.createTopic("readings", 1);
        alterGroup("tuned", Map.of("consumer.heartbeat.interval.ms", "7000"));
        GroupFixture.await(() -> heartbeatIntervalMs("tuned") == 7000, "the group's own interval");
        assertThat(heartbeatIntervalMs("plain")).isEqualTo(5000);

        Map<String, String> removed = new HashMap<>();
        removed.put("consumer.heartbeat.interval.ms", null);
        alterGroup("tuned", removed);
        GroupFixture.await(() -> heartbeatIntervalMs("tuned") == 5000, "the default again");
    }

    private int heartbeatIntervalMs(String group) {
        Member member = new Member(group);
        int interval = member.join(List.of("readings"), null).heartbeatIntervalMs();
        member.leave();
        return interval;
    }

    private void alterGroup(String group, Map<String, String> changes) {
        var unused = node.controlPlane
                .submit(new Command.AlterConfigs(ConfigResource.Type.GROUP.id(), group, changes))
                .toCompletableFuture()
                .join();
    }

    private static void beatUntil(List<Member> members, int partitions) {
        GroupFixture.await(
                () -> {
                    members.forEach(Member::beat);
                    Set<String> all = new TreeSet<>();
                    members.forEach(member -> all.addAll(member.owned));
                    int owned = members.stream()
                            .mapToInt(member -> member.owned.size())
                            .sum();
                    int most = members.stream()
                            .mapToInt(member -> member.owned.size())
                            .max()
                            .orElse(0);
                    assertThat(owned).as("nothing is owned twice").isEqualTo(all.size());
                    return owned == partitions && most <= (partitions + members.size() - 1) / members.size();
                },
                partitions + " partitions shared by " + members.size());
    }

    /** A member that takes and gives up what it is told to at once. */
    private final class Member {
        private final String group;
        private final String id = Uuid.randomUuid().toString();
        private int epoch;
        private Set<String> owned = new TreeSet<>();
        private List<TopicPartitions> reported = List.of();

        Member(String group) {
            this.group = group;
        }

        ConsumerGroupHeartbeatResponseData join(@Nullable List<String> topics, @Nullable String pattern) {
            return take(client.beat(request(0)
                    .setRebalanceTimeoutMs(10_000)
                    .setSubscribedTopicNames(topics)
                    .setSubscribedTopicRegex(pattern)
                    .setTopicPartitions(List.of())));
        }

        void beat() {
            take(client.beat(request(epoch).setTopicPartitions(reported)));
        }

        void leave() {
            client.beat(request(-1));
        }

        private ConsumerGroupHeartbeatRequestData request(int atEpoch) {
            return new ConsumerGroupHeartbeatRequestData()
                    .setGroupId(group)
                    .setMemberId(id)
                    .setMemberEpoch(atEpoch);
        }

        private ConsumerGroupHeartbeatResponseData take(ConsumerGroupHeartbeatResponseData answer) {
            assertThat(Errors.forCode(answer.errorCode()))
                    .as(answer.errorMessage())
                    .isEqualTo(Errors.NONE);
            epoch = answer.memberEpoch();
            if (answer.assignment() != null) {
                owned = new TreeSet<>();
                answer.assignment().topicPartitions().forEach(topic -> topic.partitions()
                        .forEach(partition -> owned.add(topic.topicId() + "-" + partition)));
                reported = answer.assignment().topicPartitions().stream()
                        .map(topic -> new TopicPartitions()
                                .setTopicId(topic.topicId())
                                .setPartitions(topic.partitions()))
                        .toList();
            }
            return answer;
        }
    }
}
