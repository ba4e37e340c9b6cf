package io.catchment.broker.transaction.api;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.transaction.TransactionCoordinator;
import io.catchment.broker.transaction.TransactionDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.apache.kafka.common.message.ListTransactionsRequestData;
import org.apache.kafka.common.message.ListTransactionsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ListTransactionsRequest;
import org.apache.kafka.common.requests.ListTransactionsResponse;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.coordinator.transaction.TransactionState;

/** ListTransactions (KIP-664, KIP-994, KIP-1152): those that this node coordinates. Immutable. */
final class ListTransactionsHandler implements ApiHandler {
    private final TransactionCoordinator coordinator;
    private final Time time;

    ListTransactionsHandler(TransactionCoordinator coordinator, Time time) {
        this.coordinator = coordinator;
        this.time = time;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.LIST_TRANSACTIONS;
    }

    @Override
    public void handle(Request request) {
        ListTransactionsRequestData asked = ((ListTransactionsRequest) request.body()).data();
        ListTransactionsResponseData data = new ListTransactionsResponseData();
        List<TransactionState> states = new ArrayList<>();
        for (String name : asked.stateFilters()) {
            TransactionState.fromName(name).ifPresentOrElse(states::add, () -> data.unknownStateFilters()
                    .add(name));
        }
        Predicate<TransactionDescription> wanted;
        try {
            wanted = wanted(asked, states);
        } catch (PatternSyntaxException e) {
            request.respond(new ListTransactionsResponse(data.setErrorCode(Errors.INVALID_REGULAR_EXPRESSION.code())));
            return;
        }
        var unused = coordinator.list().whenComplete((all, failure) -> {
            if (failure != null) {
                data.setErrorCode(Answering.error(failure).code());
            } else {
                all.stream().filter(wanted).forEach(each -> data.transactionStates()
                        .add(new ListTransactionsResponseData.TransactionState()
                                .setTransactionalId(each.transactionalId())
                                .setProducerId(each.producerId())
                                .setTransactionState(each.state().stateName())));
            }
            request.respond(new ListTransactionsResponse(data));
        });
    }

    private Predicate<TransactionDescription> wanted(ListTransactionsRequestData asked, List<TransactionState> states) {
        long nowMs = time.milliseconds();
        String pattern = asked.transactionalIdPattern();
        Pattern ids = pattern == null || pattern.isEmpty() ? null : Pattern.compile(pattern);
        return each -> (asked.stateFilters().isEmpty() || states.contains(each.state()))
                && (asked.producerIdFilters().isEmpty()
                        || asked.producerIdFilters().contains(each.producerId()))
                && (asked.durationFilter() < 0
                        || (each.startMs() >= 0 && nowMs - each.startMs() > asked.durationFilter()))
                && (ids == null || ids.matches(each.transactionalId()));
    }
}
