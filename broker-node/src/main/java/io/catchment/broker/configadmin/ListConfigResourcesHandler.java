package io.catchment.broker.configadmin;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import io.catchment.controlplane.TopicState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.ListConfigResourcesResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ListConfigResourcesRequest;
import org.apache.kafka.common.requests.ListConfigResourcesResponse;

/**
 * ListConfigResources (KIP-1142): topics and brokers, which always have a configuration, and the groups and client metrics that have one of their own.
 * Version 0 asks for the subscriptions of client metrics (KIP-714) only.
 */
public final class ListConfigResourcesHandler implements ApiHandler {
    private final ControlPlane controlPlane;

    public ListConfigResourcesHandler(ControlPlane controlPlane) {
        this.controlPlane = controlPlane;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.LIST_CONFIG_RESOURCES;
    }

    @Override
    public void handle(Request request) {
        ListConfigResourcesRequest body = (ListConfigResourcesRequest) request.body();
        Set<Byte> supported = body.supportedResourceTypes();
        Collection<Byte> asked =
                body.data().resourceTypes().isEmpty() ? supported : body.data().resourceTypes();
        ListConfigResourcesResponseData answer = new ListConfigResourcesResponseData();
        if (supported.containsAll(asked)) {
            ClusterImage image = controlPlane.image();
            List<ListConfigResourcesResponseData.ConfigResource> resources = new ArrayList<>();
            for (ConfigResource.Type type : List.of(
                    ConfigResource.Type.TOPIC,
                    ConfigResource.Type.GROUP,
                    ConfigResource.Type.CLIENT_METRICS,
                    ConfigResource.Type.BROKER,
                    ConfigResource.Type.BROKER_LOGGER)) {
                if (asked.contains(type.id())) {
                    names(type, image)
                            .forEach(name -> resources.add(new ListConfigResourcesResponseData.ConfigResource()
                                    .setResourceType(type.id())
                                    .setResourceName(name)));
                }
            }
            answer.setConfigResources(resources);
        } else {
            answer.setErrorCode(Errors.UNSUPPORTED_VERSION.code());
        }
        request.respond(new ListConfigResourcesResponse(answer));
    }

    private static Stream<String> names(ConfigResource.Type type, ClusterImage image) {
        return switch (type) {
            case TOPIC -> image.topics().stream().map(TopicState::name);
            case GROUP, CLIENT_METRICS ->
                image.metadata().configs().resourceData().keySet().stream()
                        .filter(resource -> resource.type() == type)
                        .map(ConfigResource::name)
                        .sorted();
            case BROKER, BROKER_LOGGER ->
                image.nodes().stream().filter(node -> node.has("broker")).map(node -> Integer.toString(node.nodeId()));
            default -> Stream.of();
        };
    }
}
