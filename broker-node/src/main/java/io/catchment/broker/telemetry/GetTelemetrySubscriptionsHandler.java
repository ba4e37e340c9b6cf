package io.catchment.broker.telemetry;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.GetTelemetrySubscriptionsRequest;
import org.apache.kafka.server.ClientMetricsManager;

/** GetTelemetrySubscriptions (KIP-714): which metrics a client is to push, and how often. */
final class GetTelemetrySubscriptionsHandler implements ApiHandler {
    private final ClientMetricsManager manager;

    GetTelemetrySubscriptionsHandler(ClientMetricsManager manager) {
        this.manager = manager;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.GET_TELEMETRY_SUBSCRIPTIONS;
    }

    @Override
    public void handle(Request request) {
        request.respond(manager.processGetTelemetrySubscriptionRequest(
                (GetTelemetrySubscriptionsRequest) request.body(), request.context()));
    }
}
