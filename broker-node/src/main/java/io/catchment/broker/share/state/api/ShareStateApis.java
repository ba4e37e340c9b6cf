package io.catchment.broker.share.state.api;

import io.catchment.broker.request.ApiHandler;
import java.util.List;
import org.apache.kafka.coordinator.share.ShareCoordinator;

/** The table of the share coordinator's APIs. */
public final class ShareStateApis {
    private ShareStateApis() {}

    public static List<ApiHandler> handlers(ShareCoordinator coordinator) {
        return List.of(
                new InitializeShareGroupStateHandler(coordinator),
                new ReadShareGroupStateHandler(coordinator),
                new WriteShareGroupStateHandler(coordinator),
                new DeleteShareGroupStateHandler(coordinator),
                new ReadShareGroupStateSummaryHandler(coordinator));
    }
}
