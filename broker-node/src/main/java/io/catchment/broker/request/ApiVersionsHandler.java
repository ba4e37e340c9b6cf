package io.catchment.broker.request;

import io.catchment.broker.network.Request;
import java.util.function.Supplier;
import org.apache.kafka.common.feature.Features;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersionCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiVersionsRequest;
import org.apache.kafka.common.requests.ApiVersionsResponse;

/**
 * Tells a client what this node serves. Immutable. A version from the future is answered with UNSUPPORTED_VERSION in the form
 * of version 0 (KIP-511), and a client that looks for another cluster or node is sent to bootstrap anew (KIP-1242).
 */
final class ApiVersionsHandler implements ApiHandler {
    private final NodeDescription node;
    private final Supplier<ApiVersionCollection> versions;

    ApiVersionsHandler(NodeDescription node, Supplier<ApiVersionCollection> versions) {
        this.node = node;
        this.versions = versions;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.API_VERSIONS;
    }

    @Override
    public void handle(Request request) {
        ApiVersionsRequest hello = (ApiVersionsRequest) request.body();
        Errors error = check(hello);
        request.respond(
                error == Errors.NONE
                        ? answer(request.header().apiVersion())
                        : hello.getErrorResponse(0, error.exception()));
    }

    private Errors check(ApiVersionsRequest hello) {
        if (hello.hasUnsupportedRequestVersion()) {
            return Errors.UNSUPPORTED_VERSION;
        }
        if (!hello.isValid()) {
            return Errors.INVALID_REQUEST;
        }
        return meansThisNode(hello.data()) ? Errors.NONE : Errors.REBOOTSTRAP_REQUIRED;
    }

    private boolean meansThisNode(ApiVersionsRequestData hello) {
        boolean cluster = hello.clusterId() == null || hello.clusterId().equals(node.clusterId());
        boolean broker = hello.nodeId() < 0 || hello.nodeId() == node.nodeId();
        return cluster && broker;
    }

    private ApiVersionsResponse answer(short version) {
        NodeDescription.FinalizedFeatures finalized = node.finalized().get();
        return new ApiVersionsResponse.Builder()
                .setApiVersions(versions.get())
                .setSupportedFeatures(Features.supportedFeatures(node.supported()))
                .setFinalizedFeatures(finalized.levels())
                .setFinalizedFeaturesEpoch(finalized.epoch())
                // before version 4 clients cannot read a feature whose lowest level is 0 (KAFKA-17492)
                .setAlterFeatureLevel0(version < 4)
                .build();
    }
}
