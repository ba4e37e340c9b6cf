package io.catchment.broker.transaction.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.transaction.TransactionCoordinator;
import io.catchment.broker.transaction.TransactionDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.DescribeTransactionsRequestData;
import org.apache.kafka.common.message.DescribeTransactionsResponseData;
import org.apache.kafka.common.message.DescribeTransactionsResponseData.TopicData;
import org.apache.kafka.common.message.DescribeTransactionsResponseData.TransactionState;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeTransactionsRequest;
import org.apache.kafka.common.requests.DescribeTransactionsResponse;

/** DescribeTransactions (KIP-664). Immutable. */
final class DescribeTransactionsHandler implements ApiHandler {
    private final TransactionCoordinator coordinator;

    DescribeTransactionsHandler(TransactionCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.DESCRIBE_TRANSACTIONS;
    }

    @Override
    public void handle(Request request) {
        DescribeTransactionsRequestData data = ((DescribeTransactionsRequest) request.body()).data();
        List<CompletionStage<TransactionState>> states =
                data.transactionalIds().stream().map(this::describe).toList();
        Answering.with(
                request,
                Answering.all(states),
                all -> new DescribeTransactionsResponse(
                        new DescribeTransactionsResponseData().setTransactionStates(all)));
    }

    private CompletionStage<TransactionState> describe(String transactionalId) {
        if (transactionalId.isEmpty()) {
            return CompletableFuture.completedFuture(failed(transactionalId, Errors.INVALID_REQUEST));
        }
        return coordinator
                .describe(transactionalId)
                .handle((description, failure) ->
                        failure == null ? described(description) : failed(transactionalId, Answering.error(failure)));
    }

    private static TransactionState failed(String transactionalId, Errors error) {
        return new TransactionState().setTransactionalId(transactionalId).setErrorCode(error.code());
    }

    private static TransactionState described(TransactionDescription description) {
        TransactionState state = new TransactionState()
                .setTransactionalId(description.transactionalId())
                .setTransactionState(description.state().stateName())
                .setTransactionTimeoutMs(description.timeoutMs())
                .setTransactionStartTimeMs(description.startMs())
                .setProducerId(description.producerId())
                .setProducerEpoch(description.producerEpoch());
        description.partitions().forEach(partition -> {
            TopicData topic = state.topics().find(partition.topic());
            if (topic == null) {
                topic = new TopicData().setTopic(partition.topic()).setPartitions(new ArrayList<>());
                state.topics().add(topic);
            }
            topic.partitions().add(partition.partition());
        });
        return state;
    }
}
