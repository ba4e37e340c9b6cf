package io.catchment.broker.telemetry;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import java.util.concurrent.Executor;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.PushTelemetryRequest;
import org.apache.kafka.server.ClientMetricsManager;

/** PushTelemetry (KIP-714). Unpacked and looked through on a worker: the network buffer is the request's until its answer. */
final class PushTelemetryHandler implements ApiHandler {
    private final ClientMetricsManager manager;
    private final Executor worker;

    PushTelemetryHandler(ClientMetricsManager manager, Executor worker) {
        this.manager = manager;
        this.worker = worker;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.PUSH_TELEMETRY;
    }

    @Override
    public void handle(Request request) {
        PushTelemetryRequest push = (PushTelemetryRequest) request.body();
        worker.execute(() -> {
            AbstractResponse response;
            try {
                response = manager.processPushTelemetryRequest(push, request.context());
            } catch (RuntimeException e) {
                request.fail(e);
                return;
            }
            request.respond(response);
        });
    }
}
