package io.catchment.broker.configadmin;

import io.catchment.broker.configadmin.ConfigAlterations.Alteration;
import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topicadmin.Later;
import java.util.List;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.AlterConfigsResponseData.AlterConfigsResourceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AlterConfigsRequest;
import org.apache.kafka.common.requests.AlterConfigsResponse;
import org.apache.kafka.common.requests.ApiError;

/** AlterConfigs, which Java's clients sent before 2.3 and others still do: what is named is set, and all else of the resource is removed (KIP-133). Thread-safe. */
public final class AlterConfigsHandler implements ApiHandler {
    private final ConfigAlterations alterations;

    public AlterConfigsHandler(ConfigAlterations alterations) {
        this.alterations = alterations;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.ALTER_CONFIGS;
    }

    @Override
    public void handle(Request request) {
        AlterConfigsRequestData data = ((AlterConfigsRequest) request.body()).data();
        List<AlterConfigsResource> resources = List.copyOf(data.resources());
        List<Alteration> asked = resources.stream()
                .map(each -> new Alteration(
                        Alteration.resource(each.resourceType(), each.resourceName()),
                        () -> ConfigOperations.replacing(each)))
                .toList();
        Later.respond(
                request,
                alterations.alter(asked, data.validateOnly(), request.eventLoop()),
                (outcomes, failure) -> answer(resources, outcomes));
    }

    private static AlterConfigsResponse answer(List<AlterConfigsResource> resources, List<ApiError> outcomes) {
        AlterConfigsResponseData data = new AlterConfigsResponseData();
        for (int i = 0; i < resources.size(); i++) {
            data.responses()
                    .add(new AlterConfigsResourceResponse()
                            .setResourceType(resources.get(i).resourceType())
                            .setResourceName(resources.get(i).resourceName())
                            .setErrorCode(outcomes.get(i).error().code())
                            .setErrorMessage(outcomes.get(i).message()));
        }
        return new AlterConfigsResponse(data);
    }
}
