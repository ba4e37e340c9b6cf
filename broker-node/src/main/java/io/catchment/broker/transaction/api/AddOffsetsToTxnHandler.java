package io.catchment.broker.transaction.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.transaction.TransactionCoordinator;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.AddOffsetsToTxnRequestData;
import org.apache.kafka.common.message.AddOffsetsToTxnResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AddOffsetsToTxnRequest;
import org.apache.kafka.common.requests.AddOffsetsToTxnResponse;
import org.apache.kafka.coordinator.group.GroupCoordinator;
import org.apache.kafka.server.common.TransactionVersion;

/** AddOffsetsToTxn: the group's partition of {@code __consumer_offsets} becomes part of the transaction. Immutable. */
final class AddOffsetsToTxnHandler implements ApiHandler {
    private static final short FENCED_VERSION = 2;

    private final TransactionCoordinator coordinator;
    private final GroupCoordinator groups;

    AddOffsetsToTxnHandler(TransactionCoordinator coordinator, GroupCoordinator groups) {
        this.coordinator = coordinator;
        this.groups = groups;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.ADD_OFFSETS_TO_TXN;
    }

    @Override
    public void handle(Request request) {
        AddOffsetsToTxnRequestData data = ((AddOffsetsToTxnRequest) request.body()).data();
        if (data.transactionalId().isEmpty()) {
            request.respond(response(Errors.INVALID_REQUEST));
            return;
        }
        TopicPartition offsets =
                new TopicPartition(Topic.GROUP_METADATA_TOPIC_NAME, groups.partitionFor(data.groupId()));
        short version = request.header().apiVersion();
        Answering.with(
                request,
                coordinator.addPartitions(
                        data.transactionalId(),
                        data.producerId(),
                        data.producerEpoch(),
                        Set.of(offsets),
                        TransactionVersion.TV_0),
                error -> response(
                        error == Errors.PRODUCER_FENCED && version < FENCED_VERSION
                                ? Errors.INVALID_PRODUCER_EPOCH
                                : error));
    }

    private static AddOffsetsToTxnResponse response(Errors error) {
        return new AddOffsetsToTxnResponse(new AddOffsetsToTxnResponseData().setErrorCode(error.code()));
    }
}
