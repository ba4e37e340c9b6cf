package io.catchment.broker.quorum;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeQuorumResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeQuorumRequest;
import org.apache.kafka.common.requests.DescribeQuorumResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DescribeQuorumHandlerTest {
    private final FakeControlPlane controlPlane = new FakeControlPlane().withNode(1, "PLAINTEXT");
    private final DescribeQuorumHandler handler = new DescribeQuorumHandler(controlPlane);

    static List<Short> versions() {
        return ApiKeys.DESCRIBE_QUORUM.allVersions();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void theControllersAnswerIsPassedOn(short version) {
        AtomicReference<RequestHeader> asked = new AtomicReference<>();
        controlPlane.controllerAnswers(frame -> {
            RequestHeader header = RequestHeader.parse(frame);
            asked.set(header);
            DescribeQuorumResponseData answer = new DescribeQuorumResponseData()
                    .setTopics(List.of(new DescribeQuorumResponseData.TopicData()
                            .setTopicName(Topic.CLUSTER_METADATA_TOPIC_NAME)
                            .setPartitions(List.of(new DescribeQuorumResponseData.PartitionData().setLeaderId(3)))));
            return RequestUtils.serialize(
                    header.toResponseHeader().data(), header.toResponseHeader().headerVersion(), answer, version);
        });
        DescribeQuorumResponseData answer = describe(version);
        assertThat(asked.get().apiVersion()).isEqualTo(version);
        assertThat(answer.topics().get(0).partitions().get(0).leaderId()).isEqualTo(3);
    }

    @Test
    void withoutAControllerItIsARetriableError() {
        assertThat(Errors.forCode(describe((short) 2).errorCode())).isEqualTo(Errors.REQUEST_TIMED_OUT);
    }

    private DescribeQuorumResponseData describe(short version) {
        return ((DescribeQuorumResponse) FakeRequest.call(
                        handler,
                        new DescribeQuorumRequest.Builder(
                                        DescribeQuorumRequest.singletonRequest(Topic.CLUSTER_METADATA_TOPIC_PARTITION))
                                .build(version)))
                .data();
    }
}
