package io.catchment.broker.share.api;

import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.share.ShareGroups;
import java.util.List;

/** The table of share consumers' APIs. */
public final class ShareApis {
    private ShareApis() {}

    public static List<ApiHandler> handlers(ShareGroups groups) {
        return List.of(new ShareFetchHandler(groups), new ShareAcknowledgeHandler(groups));
    }
}
