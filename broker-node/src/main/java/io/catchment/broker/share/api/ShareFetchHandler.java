package io.catchment.broker.share.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.share.ShareGroups;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.ShareFetchRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ShareFetchRequest;

/** ShareFetch (KIP-932): what became of the records a member has, and then more of them. */
final class ShareFetchHandler implements ApiHandler {
    private final ShareGroups groups;

    ShareFetchHandler(ShareGroups groups) {
        this.groups = groups;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.SHARE_FETCH;
    }

    @Override
    public void handle(Request request) {
        ShareFetchRequestData data = ((ShareFetchRequest) request.body()).data();
        Members.check(data.groupId(), data.memberId());
        checkRenewal(data);
        groups.fetch(request, request.answerBytesMax());
    }

    /** Who asks for more time must not be kept waiting for records (KIP-1222). */
    private static void checkRenewal(ShareFetchRequestData data) {
        if (!data.isRenewAck()) {
            return;
        }
        List<String> wrong = new ArrayList<>();
        note(data.maxBytes(), "maxBytes", wrong);
        note(data.minBytes(), "minBytes", wrong);
        note(data.maxRecords(), "maxRecords", wrong);
        note(data.maxWaitMs(), "maxWaitMs", wrong);
        if (!wrong.isEmpty()) {
            throw Errors.INVALID_REQUEST.exception(String.join(", ", wrong) + " must be 0 if isRenewAck is true");
        }
    }

    private static void note(int value, String name, List<String> wrong) {
        if (value != 0) {
            wrong.add(name);
        }
    }
}
