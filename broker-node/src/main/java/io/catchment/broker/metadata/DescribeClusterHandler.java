package io.catchment.broker.metadata;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.ControlPlane;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeClusterResponseData.DescribeClusterBroker;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeClusterRequest;
import org.apache.kafka.common.requests.DescribeClusterResponse;
import org.apache.kafka.common.resource.ResourceType;

/**
 * DescribeCluster: brokers, or (KIP-919) controllers when asked on a listener of controllers. Asking a listener for what it does
 * not serve gets MISMATCHED_ENDPOINT_TYPE, as in Kafka.
 */
public final class DescribeClusterHandler implements ApiHandler {
    private static final byte BROKERS = 1;
    private static final byte CONTROLLERS = 2;

    private final ControlPlane controlPlane;
    private final Set<String> controllerListeners;

    /** @param controllerListeners controller.listener.names */
    public DescribeClusterHandler(ControlPlane controlPlane, Set<String> controllerListeners) {
        this.controlPlane = controlPlane;
        this.controllerListeners = Set.copyOf(controllerListeners);
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_CLUSTER;
    }

    @Override
    public void handle(Request request) {
        DescribeClusterRequestData asked = ((DescribeClusterRequest) request.body()).data();
        boolean controllers = controllerListeners.contains(request.listener());
        byte served = controllers ? CONTROLLERS : BROKERS;
        DescribeClusterResponseData answer = new DescribeClusterResponseData().setEndpointType(asked.endpointType());
        if (asked.endpointType() != BROKERS && asked.endpointType() != CONTROLLERS) {
            answer.setErrorCode(Errors.UNSUPPORTED_ENDPOINT_TYPE.code())
                    .setErrorMessage("Unsupported endpoint type " + asked.endpointType());
        } else if (asked.endpointType() != served) {
            answer.setErrorCode(Errors.MISMATCHED_ENDPOINT_TYPE.code())
                    .setErrorMessage("The request was sent to an endpoint of type " + name(served)
                            + ", but we wanted an endpoint of type " + name(asked.endpointType()));
        } else {
            describe(request, asked, controllers, answer);
        }
        request.respond(new DescribeClusterResponse(answer));
    }

    private void describe(
            Request request,
            DescribeClusterRequestData asked,
            boolean controllers,
            DescribeClusterResponseData answer) {
        ClusterImage image = controlPlane.image();
        List<Node> nodes = controllers
                ? Brokers.controllers(image, request.listener())
                : Brokers.registered(image, request.listener(), asked.includeFencedBrokers());
        for (Node node : nodes) {
            answer.brokers()
                    .add(new DescribeClusterBroker()
                            .setBrokerId(node.id())
                            .setHost(node.host())
                            .setPort(node.port())
                            .setRack(node.rack())
                            .setIsFenced(!controllers && node.isFenced()));
        }
        answer.setClusterId(image.clusterId())
                .setControllerId(
                        controllers
                                ? image.controllerId()
                                : Brokers.controllerFor(image, Brokers.alive(image, request.listener())));
        if (asked.includeClusterAuthorizedOperations()) {
            answer.setClusterAuthorizedOperations(Brokers.allOperations(ResourceType.CLUSTER));
        }
    }

    private static String name(byte endpointType) {
        return endpointType == CONTROLLERS ? "CONTROLLER" : "BROKER";
    }
}
