package io.catchment.broker.configadmin;

import io.catchment.broker.configadmin.ConfigAlterations.Alteration;
import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topicadmin.Later;
import java.util.List;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.IncrementalAlterConfigsRequest;
import org.apache.kafka.common.requests.IncrementalAlterConfigsResponse;

/** IncrementalAlterConfigs: SET, DELETE, APPEND and SUBTRACT of single keys (KIP-339). Thread-safe. */
public final class IncrementalAlterConfigsHandler implements ApiHandler {
    private final ConfigAlterations alterations;

    public IncrementalAlterConfigsHandler(ConfigAlterations alterations) {
        this.alterations = alterations;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.INCREMENTAL_ALTER_CONFIGS;
    }

    @Override
    public void handle(Request request) {
        IncrementalAlterConfigsRequestData data = ((IncrementalAlterConfigsRequest) request.body()).data();
        List<AlterConfigsResource> resources = List.copyOf(data.resources());
        List<Alteration> asked = resources.stream()
                .map(each -> new Alteration(
                        Alteration.resource(each.resourceType(), each.resourceName()), () -> ConfigOperations.of(each)))
                .toList();
        Later.respond(
                request,
                alterations.alter(asked, data.validateOnly(), request.eventLoop()),
                (outcomes, failure) -> answer(resources, outcomes));
    }

    private static IncrementalAlterConfigsResponse answer(
            List<AlterConfigsResource> resources, List<ApiError> outcomes) {
        IncrementalAlterConfigsResponseData data = new IncrementalAlterConfigsResponseData();
        for (int i = 0; i < resources.size(); i++) {
            data.responses()
                    .add(new AlterConfigsResourceResponse()
                            .setResourceType(resources.get(i).resourceType())
                            .setResourceName(resources.get(i).resourceName())
                            .setErrorCode(outcomes.get(i).error().code())
                            .setErrorMessage(outcomes.get(i).message()));
        }
        return new IncrementalAlterConfigsResponse(data);
    }
}
