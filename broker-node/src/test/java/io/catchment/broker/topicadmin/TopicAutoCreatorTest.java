package io.catchment.broker.topicadmin;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

class TopicAutoCreatorTest {
    private final FakeControlPlane controlPlane = new FakeControlPlane().withNode(1, "PLAINTEXT");
    private final TopicAutoCreator creator = new TopicAutoCreator(controlPlane, TestTopics.config());

    @Test
    void thoseWhoAskForTheSameTopicAtTheSameTimeShareOneCommand() {
        controlPlane.pause();
        CompletableFuture<Map<String, Errors>> first = create("shared", "only-first");
        CompletableFuture<Map<String, Errors>> second = create("shared", "only-second");
        assertThat(first).isNotDone();
        controlPlane.resume();

        assertThat(first.join()).isEqualTo(Map.of("shared", Errors.NONE, "only-first", Errors.NONE));
        assertThat(second.join()).isEqualTo(Map.of("shared", Errors.NONE, "only-second", Errors.NONE));
        assertThat(created()).containsExactly(List.of("shared", "only-first"), List.of("only-second"));
        assertThat(controlPlane.image().topic("shared").orElseThrow().streams()).hasSize(4);
    }

    @Test
    void whatExistsNeedsNoCommand() {
        create("there").join();
        assertThat(create("there").join()).isEqualTo(Map.of("there", Errors.NONE));
        assertThat(created()).hasSize(1);
    }

    @Test
    void aFailureIsForgottenSoThatTheNextOneTriesAgain() {
        controlPlane.failNext(Reason.UNAVAILABLE);
        assertThat(create("later").join()).isEqualTo(Map.of("later", Errors.REQUEST_TIMED_OUT));
        assertThat(create("later").join()).isEqualTo(Map.of("later", Errors.NONE));
    }

    @Test
    void namesThatNoTopicMayHaveAreNotAskedFor() {
        create("a.b").join();
        assertThat(create("no way", "a_b", "__cluster_metadata").join())
                .isEqualTo(Map.of(
                        "no way",
                        Errors.INVALID_TOPIC_EXCEPTION,
                        "a_b",
                        Errors.INVALID_TOPIC_EXCEPTION,
                        "__cluster_metadata",
                        Errors.INVALID_TOPIC_EXCEPTION));
        assertThat(created()).hasSize(1);
    }

    @Test
    void theOffsetsTopicHasSettingsOfItsOwnHoweverItIsCreated() {
        create("__consumer_offsets").join();
        assertOffsetsTopic(controlPlane);

        FakeControlPlane another = new FakeControlPlane().withNode(1, "PLAINTEXT");
        Command.CreatedTopic created = new TopicAutoCreator(another, TestTopics.config())
                .createInternal(TestTopics.config().offsetsTopic())
                .toCompletableFuture()
                .join();
        assertThat(created.error()).isNull();
        assertOffsetsTopic(another);
    }

    private static void assertOffsetsTopic(FakeControlPlane controlPlane) {
        assertThat(controlPlane
                        .image()
                        .topic("__consumer_offsets")
                        .orElseThrow()
                        .streams())
                .hasSize(50);
        assertThat(controlPlane.image().configs((byte) 2, "__consumer_offsets"))
                .isEqualTo(Map.of(
                        "cleanup.policy",
                        "compact",
                        "compression.type",
                        "producer",
                        "segment.bytes",
                        "104857600",
                        "catchment.priority",
                        "urgent"));
    }

    private CompletableFuture<Map<String, Errors>> create(String... topics) {
        return creator.create(List.of(topics)).toCompletableFuture();
    }

    private List<List<String>> created() {
        return controlPlane.submitted().stream()
                .filter(Command.CreateTopics.class::isInstance)
                .map(Command.CreateTopics.class::cast)
                .map(command ->
                        command.topics().stream().map(Command.CreateTopic::name).toList())
                .toList();
    }
}
