package io.catchment.broker.configadmin;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.FakeControlPlane;
import io.catchment.broker.testing.FakeRequest;
import io.catchment.controlplane.Command;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigResource.Type;
import org.apache.kafka.common.message.ListConfigResourcesRequestData;
import org.apache.kafka.common.message.ListConfigResourcesResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ListConfigResourcesRequest;
import org.apache.kafka.common.requests.ListConfigResourcesResponse;
import org.junit.jupiter.api.Test;

class ListConfigResourcesHandlerTest {
    private final FakeControlPlane controlPlane =
            new FakeControlPlane().withNode(1, "PLAINTEXT").withNode(2, "PLAINTEXT");
    private final ListConfigResourcesHandler handler = new ListConfigResourcesHandler(controlPlane);

    ListConfigResourcesHandlerTest() {
        controlPlane.applyNow(
                new Command.CreateTopics(List.of(new Command.CreateTopic("t", 1, (short) 1, Map.of())), false));
        controlPlane.applyNow(
                new Command.AlterConfigs(Type.GROUP.id(), "g", Map.of("consumer.session.timeout.ms", "50000")));
    }

    @Test
    void allTypesAreListedWhenNoneIsNamed() {
        assertThat(listed((short) 1))
                .containsExactlyInAnyOrder(
                        "TOPIC t", "GROUP g", "BROKER 1", "BROKER 2", "BROKER_LOGGER 1", "BROKER_LOGGER 2");
    }

    @Test
    void onlyTheTypesNamedAreListed() {
        assertThat(listed((short) 1, Type.GROUP)).containsExactly("GROUP g");
        assertThat(listed((short) 1, Type.TOPIC, Type.CLIENT_METRICS)).containsExactly("TOPIC t");
    }

    /** Of version 0 there was nothing but client metrics. */
    @Test
    void version0KnowsClientMetricsOnly() {
        assertThat(listed((short) 0, Type.CLIENT_METRICS)).isEmpty();
    }

    @Test
    void anUnknownTypeIsUnsupported() {
        ListConfigResourcesResponseData answer =
                ask(new ListConfigResourcesRequestData().setResourceTypes(List.of((byte) 99)), (short) 1);
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.UNSUPPORTED_VERSION);
    }

    private List<String> listed(short version, Type... types) {
        ListConfigResourcesRequestData data = new ListConfigResourcesRequestData();
        for (Type type : types) {
            data.resourceTypes().add(type.id());
        }
        ListConfigResourcesResponseData answer = ask(data, version);
        assertThat(answer.errorCode()).isZero();
        return answer.configResources().stream()
                .map(resource -> Type.forId(resource.resourceType()) + " " + resource.resourceName())
                .toList();
    }

    private ListConfigResourcesResponseData ask(ListConfigResourcesRequestData data, short version) {
        return ((ListConfigResourcesResponse)
                        FakeRequest.call(handler, new ListConfigResourcesRequest.Builder(data).build(version)))
                .data();
    }
}
