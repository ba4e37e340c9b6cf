package io.catchment.broker.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeClusterResponseData.DescribeClusterBroker;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeClusterRequest;
import org.apache.kafka.common.requests.DescribeClusterResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DescribeClusterHandlerTest {
    private final FakeControlPlane controlPlane =
            new FakeControlPlane().withNode(1, "PLAINTEXT", "CONTROLLER").withNode(2, "PLAINTEXT");
    private final DescribeClusterHandler handler = new DescribeClusterHandler(controlPlane, Set.of("CONTROLLER"));

    static List<Short> versions() {
        return ApiKeys.DESCRIBE_CLUSTER.allVersions();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void tellsOfTheBrokersAtEachVersion(short version) {
        DescribeClusterResponseData data = ask(new DescribeClusterRequestData(), version, "PLAINTEXT");

        assertThat(data.errorCode()).isZero();
        assertThat(data.clusterId()).isEqualTo("fake-cluster");
        assertThat(data.controllerId()).isEqualTo(1);
        assertThat(data.brokers()).extracting(DescribeClusterBroker::brokerId).containsExactlyInAnyOrder(1, 2);
        assertThat(data.brokers().find(2).port()).isEqualTo(9200);
        assertThat(data.brokers().find(2).rack()).isEqualTo("zone-2");
        assertThat(data.clusterAuthorizedOperations()).isEqualTo(Integer.MIN_VALUE);
    }

    @Test
    void fencedBrokersAreLeftOutUnlessAskedFor() {
        controlPlane.fenceNode(2, true);
        assertThat(ask(new DescribeClusterRequestData(), (short) 2, "PLAINTEXT").brokers())
                .extracting(DescribeClusterBroker::brokerId)
                .containsExactly(1);
        DescribeClusterResponseData all =
                ask(new DescribeClusterRequestData().setIncludeFencedBrokers(true), (short) 2, "PLAINTEXT");
        assertThat(all.brokers().find(2).isFenced()).isTrue();
        assertThat(all.brokers().find(1).isFenced()).isFalse();
    }

    @Test
    void aFencedControllerIsNotWhereClientsAreSent() {
        controlPlane.fenceNode(1, true);
        assertThat(ask(new DescribeClusterRequestData(), (short) 2, "PLAINTEXT").controllerId())
                .isEqualTo(2);
    }

    @Test
    void controllersAreToldOnTheirListenerOnly() {
        DescribeClusterRequestData controllers = new DescribeClusterRequestData().setEndpointType((byte) 2);
        DescribeClusterResponseData data = ask(controllers, (short) 1, "CONTROLLER");
        assertThat(data.errorCode()).isZero();
        assertThat(data.endpointType()).isEqualTo((byte) 2);
        assertThat(data.brokers()).extracting(DescribeClusterBroker::brokerId).containsExactly(1);
        assertThat(data.brokers().find(1).port()).isEqualTo(9101);

        assertThat(Errors.forCode(ask(controllers, (short) 1, "PLAINTEXT").errorCode()))
                .isEqualTo(Errors.MISMATCHED_ENDPOINT_TYPE);
        assertThat(Errors.forCode(ask(new DescribeClusterRequestData(), (short) 1, "CONTROLLER")
                        .errorCode()))
                .isEqualTo(Errors.MISMATCHED_ENDPOINT_TYPE);
        assertThat(Errors.forCode(
                        ask(new DescribeClusterRequestData().setEndpointType((byte) 9), (short) 1, "PLAINTEXT")
                                .errorCode()))
                .isEqualTo(Errors.UNSUPPORTED_ENDPOINT_TYPE);
    }

    @Test
    void authorizedOperationsAreToldWhenAskedFor() {
        assertThat(ask(
                                new DescribeClusterRequestData().setIncludeClusterAuthorizedOperations(true),
                                (short) 2,
                                "PLAINTEXT")
                        .clusterAuthorizedOperations())
                .isPositive();
    }

    private DescribeClusterResponseData ask(DescribeClusterRequestData data, short version, String listener) {
        DescribeClusterResponse response = (DescribeClusterResponse)
                FakeRequest.call(handler, new DescribeClusterRequest(data, version), listener);
        return response.data();
    }
}
