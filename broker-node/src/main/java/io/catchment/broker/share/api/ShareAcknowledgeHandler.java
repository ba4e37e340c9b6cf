package io.catchment.broker.share.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.share.ShareGroups;
import org.apache.kafka.common.message.ShareAcknowledgeRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ShareAcknowledgeRequest;

/** ShareAcknowledge (KIP-932): what became of the records a member has. */
final class ShareAcknowledgeHandler implements ApiHandler {
    private final ShareGroups groups;

    ShareAcknowledgeHandler(ShareGroups groups) {
        this.groups = groups;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.SHARE_ACKNOWLEDGE;
    }

    @Override
    public void handle(Request request) {
        ShareAcknowledgeRequestData data = ((ShareAcknowledgeRequest) request.body()).data();
        Members.check(data.groupId(), data.memberId());
        groups.acknowledge(request);
    }
}
