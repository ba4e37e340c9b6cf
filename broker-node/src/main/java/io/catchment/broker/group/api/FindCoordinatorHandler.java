package io.catchment.broker.group.api;

import io.catchment.broker.group.OffsetsTopic;
import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.FindCoordinatorResponseData.Coordinator;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.FindCoordinatorRequest;
import org.apache.kafka.common.requests.FindCoordinatorRequest.CoordinatorType;
import org.apache.kafka.common.requests.FindCoordinatorResponse;
import org.jspecify.annotations.Nullable;

/** Which node coordinates a group, a transactional id, or the state of a share partition. */
final class FindCoordinatorHandler implements ApiHandler {
    /** From here on there are keys of share partitions (KIP-932); Kafka refuses them below. */
    private static final short SHARE_VERSION = 6;

    private final OffsetsTopic offsetsTopic;

    private final BiFunction<String, String, Optional<Node>> transactions;
    private final BiFunction<String, String, Optional<Node>> shareStates;

    FindCoordinatorHandler(
            OffsetsTopic offsetsTopic,
            BiFunction<String, String, Optional<Node>> transactions,
            BiFunction<String, String, Optional<Node>> shareStates) {
        this.offsetsTopic = offsetsTopic;
        this.transactions = transactions;
        this.shareStates = shareStates;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.FIND_COORDINATOR;
    }

    @Override
    public void handle(Request request) {
        FindCoordinatorRequestData asked = ((FindCoordinatorRequest) request.body()).data();
        short version = request.header().apiVersion();
        BiFunction<String, String, Optional<Node>> coordinators = coordinators(asked.keyType(), version);
        if (version < FindCoordinatorRequest.MIN_BATCHED_VERSION) {
            request.respond(single(find(coordinators, asked.keyType(), asked.key(), request.listener())));
        } else {
            List<Coordinator> found = asked.coordinatorKeys().stream()
                    .map(key -> find(coordinators, asked.keyType(), key, request.listener()))
                    .toList();
            request.respond(new FindCoordinatorResponse(new FindCoordinatorResponseData().setCoordinators(found)));
        }
    }

    private static Coordinator find(
            @Nullable BiFunction<String, String, Optional<Node>> coordinators, byte type, String key, String listener) {
        if (coordinators == null) {
            return failed(
                    key,
                    new ApiError(
                            Errors.INVALID_REQUEST,
                            "There is no coordinator of type " + type + " to ask for with this version"));
        }
        try {
            Optional<Node> node = coordinators.apply(key, listener);
            return node.map(found -> coordinator(key, found).setErrorCode(Errors.NONE.code()))
                    .orElseGet(() -> failed(key, new ApiError(Errors.COORDINATOR_NOT_AVAILABLE)));
        } catch (RuntimeException e) {
            return failed(key, ApiError.fromThrowable(e));
        }
    }

    private @Nullable BiFunction<String, String, Optional<Node>> coordinators(byte type, short version) {
        if (type == CoordinatorType.GROUP.id()) {
            return offsetsTopic::coordinatorOf;
        }
        if (type == CoordinatorType.TRANSACTION.id()) {
            return transactions;
        }
        return type == CoordinatorType.SHARE.id() && version >= SHARE_VERSION ? shareStates : null;
    }

    private static Coordinator coordinator(String key, Node node) {
        return new Coordinator()
                .setKey(key)
                .setNodeId(node.id())
                .setHost(node.host())
                .setPort(node.port());
    }

    private static Coordinator failed(String key, ApiError error) {
        return coordinator(key, Node.noNode())
                .setErrorCode(error.error().code())
                .setErrorMessage(error.messageWithFallback());
    }

    /** Versions 0 to 3 ask for one key and have the answer at the top. */
    private static FindCoordinatorResponse single(Coordinator coordinator) {
        return new FindCoordinatorResponse(new FindCoordinatorResponseData()
                .setErrorCode(coordinator.errorCode())
                .setErrorMessage(coordinator.errorMessage())
                .setNodeId(coordinator.nodeId())
                .setHost(coordinator.host())
                .setPort(coordinator.port()));
    }
}
