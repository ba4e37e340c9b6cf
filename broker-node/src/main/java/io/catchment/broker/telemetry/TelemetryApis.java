package io.catchment.broker.telemetry;

import io.catchment.broker.request.ApiHandler;
import java.util.List;
import java.util.concurrent.Executor;

/** The table of telemetry APIs. */
public final class TelemetryApis {
    private TelemetryApis() {}

    /** @param worker where a megabyte may be unpacked and looked through */
    public static List<ApiHandler> handlers(ClientTelemetry telemetry, Executor worker) {
        return List.of(
                new GetTelemetrySubscriptionsHandler(telemetry.manager()),
                new PushTelemetryHandler(telemetry.manager(), worker));
    }
}
