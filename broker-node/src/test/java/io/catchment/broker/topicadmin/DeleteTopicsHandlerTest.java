package io.catchment.broker.topicadmin;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.CommandException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData.DeletableTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DeleteTopicsRequest;
import org.apache.kafka.common.requests.DeleteTopicsResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DeleteTopicsHandlerTest {
    private final FakeControlPlane controlPlane = new FakeControlPlane().withNode(1, "PLAINTEXT");
    private final DeleteTopicsHandler handler = new DeleteTopicsHandler(controlPlane, TestTopics.noQuotas());

    static List<Short> versions() {
        return ApiKeys.DELETE_TOPICS.allVersions();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void deletesByNameAtEachVersion(short version) {
        Uuid id = create("gone");
        create("kept");
        DeleteTopicsRequestData data = new DeleteTopicsRequestData().setTimeoutMs(10_000);
        if (version >= 6) {
            data.topics().add(new DeleteTopicState().setName("gone"));
            data.topics().add(new DeleteTopicState().setName("unknown"));
        } else {
            data.setTopicNames(new ArrayList<>(List.of("gone", "unknown")));
        }

        List<DeletableTopicResult> results = delete(data, version);

        assertThat(errorOf(results, "gone")).isEqualTo(Errors.NONE);
        assertThat(errorOf(results, "unknown")).isEqualTo(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(controlPlane.image().topic("gone")).isEmpty();
        assertThat(controlPlane.image().topic("kept")).isPresent();
        if (version >= 6) {
            assertThat(results)
                    .anySatisfy(result -> assertThat(result.topicId()).isEqualTo(id));
        }
    }

    @Test
    void deletesById() {
        Uuid id = create("by-id");
        Uuid unknown = Uuid.randomUuid();
        List<DeletableTopicResult> results = delete(
                request(
                        new DeleteTopicState().setName(null).setTopicId(id),
                        new DeleteTopicState().setName(null).setTopicId(unknown)),
                (short) 6);

        assertThat(results).hasSize(2).anySatisfy(result -> {
            assertThat(result.topicId()).isEqualTo(id);
            assertThat(result.name()).isEqualTo("by-id");
            assertThat(Errors.forCode(result.errorCode())).isEqualTo(Errors.NONE);
        });
        assertThat(results).anySatisfy(result -> {
            assertThat(result.topicId()).isEqualTo(unknown);
            assertThat(result.name()).isNull();
            assertThat(Errors.forCode(result.errorCode())).isEqualTo(Errors.UNKNOWN_TOPIC_ID);
        });
        assertThat(controlPlane.image().topics()).isEmpty();
    }

    @Test
    void ambiguousRequestsDeleteNothing() {
        Uuid id = create("safe");
        assertAllInvalid(new DeleteTopicState().setName("safe").setTopicId(id));
        assertAllInvalid(new DeleteTopicState().setName(null).setTopicId(Uuid.ZERO_UUID));
        assertAllInvalid(new DeleteTopicState().setName("safe"), new DeleteTopicState().setName("safe"));
        assertAllInvalid(
                new DeleteTopicState().setName(null).setTopicId(id),
                new DeleteTopicState().setName(null).setTopicId(id));
        assertAllInvalid(
                new DeleteTopicState().setName("safe"),
                new DeleteTopicState().setName(null).setTopicId(id));
    }

    @Test
    void aTopicCreatedAnewUnderTheSameNameMeanwhileIsSafe() {
        Uuid old = create("reborn");
        controlPlane.pause();
        FakeRequest request = FakeRequest.sent(
                handler,
                new DeleteTopicsRequest.Builder(request(new DeleteTopicState().setName("reborn"))).build((short) 6),
                "PLAINTEXT");
        FakeRequest.settle();
        controlPlane.applyNow(new Command.DeleteTopics(List.of(old)));
        controlPlane.applyNow(
                new Command.CreateTopics(List.of(new Command.CreateTopic("reborn", 1, (short) 1, Map.of())), false));
        controlPlane.resume();

        DeleteTopicsResponse response = (DeleteTopicsResponse) request.answer();
        assertThat(response.errorCounts()).containsOnlyKeys(Errors.UNKNOWN_TOPIC_OR_PARTITION);
        assertThat(controlPlane.image().topic("reborn")).isPresent();
    }

    @Test
    void aControllerOutOfReachIsATimeout() {
        create("there");
        controlPlane.failNext(Reason.UNAVAILABLE);
        List<DeletableTopicResult> results = delete(request(new DeleteTopicState().setName("there")), (short) 6);

        assertThat(errorOf(results, "there")).isEqualTo(Errors.REQUEST_TIMED_OUT);
    }

    private void assertAllInvalid(DeleteTopicState... states) {
        List<DeletableTopicResult> results = delete(request(states), (short) 6);
        assertThat(results).isNotEmpty().allSatisfy(result -> assertThat(Errors.forCode(result.errorCode()))
                .isEqualTo(Errors.INVALID_REQUEST));
        assertThat(controlPlane.image().topic("safe")).isPresent();
    }

    private static Errors errorOf(List<DeletableTopicResult> results, String name) {
        return results.stream()
                .filter(result -> name.equals(result.name()))
                .map(result -> Errors.forCode(result.errorCode()))
                .findFirst()
                .orElseThrow();
    }

    private static DeleteTopicsRequestData request(DeleteTopicState... states) {
        return new DeleteTopicsRequestData().setTimeoutMs(10_000).setTopics(List.of(states));
    }

    private List<DeletableTopicResult> delete(DeleteTopicsRequestData data, short version) {
        DeleteTopicsResponse response =
                (DeleteTopicsResponse) FakeRequest.call(handler, new DeleteTopicsRequest.Builder(data).build(version));
        return List.copyOf(response.data().responses());
    }

    private Uuid create(String name) {
        controlPlane.applyNow(
                new Command.CreateTopics(List.of(new Command.CreateTopic(name, 1, (short) 1, Map.of())), false));
        return controlPlane.image().topic(name).orElseThrow().topicId();
    }
}
