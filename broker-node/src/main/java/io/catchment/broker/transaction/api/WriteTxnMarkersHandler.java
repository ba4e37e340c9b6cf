package io.catchment.broker.transaction.api;

import io.catchment.broker.network.Request;
import io.catchment.broker.request.ApiHandler;
import io.catchment.broker.transaction.MarkerWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest.TxnMarkerEntry;
import org.apache.kafka.common.requests.WriteTxnMarkersResponse;

/** WriteTxnMarkers: from a coordinator, or from an administrator who ends a transaction that hangs (KIP-664). Immutable. */
final class WriteTxnMarkersHandler implements ApiHandler {
    private final MarkerWriter writer;

    WriteTxnMarkersHandler(MarkerWriter writer) {
        this.writer = writer;
    }

    private record Written(long producerId, TopicPartition partition, Errors error) {}

    @Override
    public ApiKeys api() {
        return ApiKeys.WRITE_TXN_MARKERS;
    }

    @Override
    public void handle(Request request) {
        List<TxnMarkerEntry> markers = ((WriteTxnMarkersRequest) request.body()).markers();
        for (TxnMarkerEntry marker : markers) {
            if (marker.producerId() < 0 || marker.producerEpoch() < 0) {
                throw new InvalidRequestException("A marker of producer " + marker.producerId() + " in epoch "
                        + marker.producerEpoch() + ": nothing negative can be");
            }
        }
        List<CompletionStage<Written>> writes = new ArrayList<>();
        for (TxnMarkerEntry marker : markers) {
            for (TopicPartition partition : marker.partitions()) {
                writes.add(writer.write(marker, partition)
                        .thenApply(error -> new Written(marker.producerId(), partition, error)));
            }
        }
        Answering.with(request, Answering.all(writes), WriteTxnMarkersHandler::response);
    }

    private static WriteTxnMarkersResponse response(List<Written> all) {
        Map<Long, Map<TopicPartition, Errors>> errors = new HashMap<>();
        all.forEach(each ->
                errors.computeIfAbsent(each.producerId(), id -> new HashMap<>()).put(each.partition(), each.error()));
        return new WriteTxnMarkersResponse(errors);
    }
}
