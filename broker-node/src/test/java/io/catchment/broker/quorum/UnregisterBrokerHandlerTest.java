package io.catchment.broker.quorum;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.controlplane.CommandException.Reason;
import org.apache.kafka.common.message.UnregisterBrokerRequestData;
import org.apache.kafka.common.message.UnregisterBrokerResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.UnregisterBrokerRequest;
import org.apache.kafka.common.requests.UnregisterBrokerResponse;
import org.junit.jupiter.api.Test;

class UnregisterBrokerHandlerTest {
    private final FakeControlPlane controlPlane =
            new FakeControlPlane().withNode(1, "PLAINTEXT").withNode(2, "PLAINTEXT");
    private final UnregisterBrokerHandler handler = new UnregisterBrokerHandler(controlPlane);

    @Test
    void aStoppedBrokerLeaves() {
        controlPlane.fenceNode(2, true);
        assertThat(Errors.forCode(unregister(2).errorCode())).isEqualTo(Errors.NONE);
        assertThat(controlPlane.image().node(2)).isEmpty();
    }

    @Test
    void aLivingOneIsRefusedWithTheReasonAndNotTriedAgain() {
        UnregisterBrokerResponseData answer = unregister(2);
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.INVALID_REQUEST);
        assertThat(answer.errorMessage()).isEqualTo("node 2 cannot be removed: it is not fenced");
        assertThat(controlPlane.image().node(2)).isPresent();
    }

    @Test
    void anUnknownOneIsUnknown() {
        UnregisterBrokerResponseData answer = unregister(7);
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.BROKER_ID_NOT_REGISTERED);
        assertThat(answer.errorMessage()).isEqualTo("Broker ID 7 is not currently registered");
    }

    @Test
    void awayControllersAreARetriableError() {
        controlPlane.failNext(Reason.UNAVAILABLE);
        assertThat(Errors.forCode(unregister(2).errorCode())).isEqualTo(Errors.REQUEST_TIMED_OUT);
    }

    private UnregisterBrokerResponseData unregister(int brokerId) {
        return ((UnregisterBrokerResponse) FakeRequest.call(
                        handler,
                        new UnregisterBrokerRequest.Builder(new UnregisterBrokerRequestData().setBrokerId(brokerId))
                                .build((short) 0)))
                .data();
    }
}
