package io.catchment.broker.transaction.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.transaction.TransactionCoordinator;
import io.catchment.controlplane.ClusterImage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransaction;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnResult;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnResultCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AddPartitionsToTxnRequest;
import org.apache.kafka.common.requests.AddPartitionsToTxnResponse;
import org.apache.kafka.server.common.TransactionVersion;

/**
 * AddPartitionsToTxn: up to version 3 from clients, for one transaction; from version 4 on from nodes, for many, to add partitions or only to
 * verify that they are part of it (KIP-890). Of one transaction either all partitions are added or none. Immutable.
 */
final class AddPartitionsToTxnHandler implements ApiHandler {
    private static final short BATCHED_VERSION = 4;
    /** Before it clients know no PRODUCER_FENCED. */
    private static final short FENCED_VERSION = 2;

    private final TransactionCoordinator coordinator;
    private final Supplier<ClusterImage> image;

    AddPartitionsToTxnHandler(TransactionCoordinator coordinator, Supplier<ClusterImage> image) {
        this.coordinator = coordinator;
        this.image = image;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.ADD_PARTITIONS_TO_TXN;
    }

    @Override
    public void handle(Request request) {
        AddPartitionsToTxnRequest body = (AddPartitionsToTxnRequest) request.body();
        short version = body.version();
        TransactionVersion transactionVersion = TransactionVersion.transactionVersionForAddPartitionsToTxn(body);
        AddPartitionsToTxnRequest each = version < BATCHED_VERSION ? body.normalizeRequest() : body;
        List<CompletionStage<AddPartitionsToTxnResult>> results = new ArrayList<>();
        for (AddPartitionsToTxnTransaction transaction : each.data().transactions()) {
            results.add(result(transaction, version, transactionVersion));
        }
        Answering.with(request, Answering.all(results), answers -> response(version, answers));
    }

    private CompletionStage<AddPartitionsToTxnResult> result(
            AddPartitionsToTxnTransaction transaction, short version, TransactionVersion transactionVersion) {
        List<TopicPartition> partitions = AddPartitionsToTxnRequest.getPartitions(transaction.topics());
        return outcome(transaction, partitions, version, transactionVersion)
                .thenApply(errors ->
                        AddPartitionsToTxnResponse.resultForTransaction(transaction.transactionalId(), errors));
    }

    private CompletionStage<Map<TopicPartition, Errors>> outcome(
            AddPartitionsToTxnTransaction transaction,
            List<TopicPartition> partitions,
            short version,
            TransactionVersion transactionVersion) {
        if (transaction.transactionalId().isEmpty()) {
            return CompletableFuture.completedFuture(all(partitions, Errors.INVALID_REQUEST));
        }
        Map<TopicPartition, Errors> refused = refused(partitions, version);
        if (!refused.isEmpty()) {
            Map<TopicPartition, Errors> none = all(partitions, Errors.OPERATION_NOT_ATTEMPTED);
            none.putAll(refused);
            return CompletableFuture.completedFuture(none);
        }
        if (transaction.verifyOnly()) {
            return coordinator
                    .verifyPartitions(
                            transaction.transactionalId(),
                            transaction.producerId(),
                            transaction.producerEpoch(),
                            partitions)
                    .exceptionally(failure -> all(partitions, Answering.error(failure)));
        }
        return coordinator
                .addPartitions(
                        transaction.transactionalId(),
                        transaction.producerId(),
                        transaction.producerEpoch(),
                        partitions,
                        transactionVersion)
                .thenApply(error -> all(
                        partitions,
                        error == Errors.PRODUCER_FENCED && version < FENCED_VERSION
                                ? Errors.INVALID_PRODUCER_EPOCH
                                : error));
    }

    private Map<TopicPartition, Errors> refused(List<TopicPartition> partitions, short version) {
        ClusterImage now = image.get();
        Map<TopicPartition, Errors> refused = new HashMap<>();
        for (TopicPartition partition : partitions) {
            boolean exists = now.topic(partition.topic())
                    .filter(topic -> partition.partition() >= 0
                            && partition.partition() < topic.streams().size())
                    .isPresent();
            if (!exists) {
                refused.put(partition, Errors.UNKNOWN_TOPIC_OR_PARTITION);
            } else if (version < BATCHED_VERSION && Topic.isInternal(partition.topic())) {
                refused.put(partition, Errors.TOPIC_AUTHORIZATION_FAILED);
            }
        }
        return refused;
    }

    private static Map<TopicPartition, Errors> all(List<TopicPartition> partitions, Errors error) {
        Map<TopicPartition, Errors> errors = new HashMap<>();
        partitions.forEach(partition -> errors.put(partition, error));
        return errors;
    }

    private static AddPartitionsToTxnResponse response(short version, List<AddPartitionsToTxnResult> results) {
        AddPartitionsToTxnResponseData data = new AddPartitionsToTxnResponseData();
        if (version < BATCHED_VERSION) {
            results.forEach(result -> data.setResultsByTopicV3AndBelow(result.topicResults()));
        } else {
            AddPartitionsToTxnResultCollection all = new AddPartitionsToTxnResultCollection();
            results.forEach(all::add);
            data.setResultsByTransaction(all);
        }
        return new AddPartitionsToTxnResponse(data);
    }
}
