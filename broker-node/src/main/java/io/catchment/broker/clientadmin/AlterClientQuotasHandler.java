package io.catchment.broker.clientadmin;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.topicadmin.CommandErrors;
import io.catchment.broker.topicadmin.Later;
import io.catchment.controlplane.Command;
import io.catchment.controlplane.ControlPlane;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.requests.AlterClientQuotasRequest;
import org.apache.kafka.common.requests.AlterClientQuotasResponse;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.image.ClientQuotasImage;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/**
 * AlterClientQuotas (KIP-546): each entity of a request is altered as a whole or not at all. What was altered through another node before the request
 * came is seen, by a barrier: clients send such requests to any node.
 */
public final class AlterClientQuotasHandler implements ApiHandler {
    private final ControlPlane controlPlane;
    private final Executor lookups;

    /** @param lookups where waiting for a name server harms nobody: an address may be given as a host's name */
    public AlterClientQuotasHandler(ControlPlane controlPlane, Executor lookups) {
        this.controlPlane = controlPlane;
        this.lookups = lookups;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.ALTER_CLIENT_QUOTAS;
    }

    /** The changes, and what to answer of each entity if they are made. */
    private record Plan(List<ApiMessageAndVersion> records, Map<ClientQuotaEntity, ApiError> outcomes) {}

    @Override
    public void handle(Request request) {
        AlterClientQuotasRequest body = (AlterClientQuotasRequest) request.body();
        List<ClientQuotaAlteration> alterations = List.copyOf(body.entries());
        boolean names = alterations.stream().anyMatch(each -> QuotaAlteration.needsLookup(each.entity()));
        CompletionStage<Map<ClientQuotaEntity, ApiError>> outcomes = controlPlane
                .barrier()
                .thenApplyAsync(seen -> plan(alterations), names ? lookups : request.eventLoop())
                .thenCompose(plan -> carryOut(plan, body.validateOnly()));
        Later.respond(request, outcomes, (results, failure) -> {
            if (failure != null) {
                return body.getErrorResponse(
                        0,
                        CommandErrors.of(failure, Errors.INVALID_REQUEST, Errors.INVALID_REQUEST)
                                .exception());
            }
            return AlterClientQuotasResponse.fromQuotaEntities(results, 0);
        });
    }

    private Plan plan(List<ClientQuotaAlteration> alterations) {
        ClientQuotasImage present = controlPlane.image().metadata().clientQuotas();
        List<ApiMessageAndVersion> records = new ArrayList<>();
        Map<ClientQuotaEntity, ApiError> outcomes = new LinkedHashMap<>();
        for (ClientQuotaAlteration alteration : alterations) {
            ClientQuotaEntity entity = alteration.entity();
            if (outcomes.containsKey(entity)) {
                outcomes.put(entity, new ApiError(Errors.INVALID_REQUEST, "Ignoring duplicate entity " + entity));
                continue;
            }
            ApiError error = QuotaAlteration.check(alteration);
            if (error.isSuccess()) {
                records.addAll(QuotaAlteration.records(alteration, present));
            }
            outcomes.put(entity, error);
        }
        return new Plan(records, outcomes);
    }

    private CompletionStage<Map<ClientQuotaEntity, ApiError>> carryOut(Plan plan, boolean validateOnly) {
        return validateOnly || plan.records().isEmpty()
                ? CompletableFuture.completedFuture(plan.outcomes())
                : controlPlane.submit(new Command.AlterClients(plan.records())).thenApply(done -> plan.outcomes());
    }
}
