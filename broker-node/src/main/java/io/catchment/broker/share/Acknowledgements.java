package io.catchment.broker.share;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.server.share.acknowledge.ShareAcknowledgementBatch;

/** What a request says of records by partition, and what comes of it. Owned by the share loop. */
final class Acknowledgements {
    private static final byte REJECT = 3;
    private static final byte RENEW = 4;

    private final SharePartitions partitions;

    Acknowledgements(SharePartitions partitions) {
        this.partitions = partitions;
    }

    /**
     * @param renews whether the request says that it asks for more time: only then it may
     * @param renewable whether its version knows of that
     */
    record Asked(Map<TopicIdPartition, List<ShareAcknowledgementBatch>> batches, boolean renewable, boolean renews) {}

    /** Completes on the share loop; each partition has its own outcome. */
    CompletableFuture<Map<TopicIdPartition, ApiError>> take(String group, String member, Asked asked) {
        Map<TopicIdPartition, CompletableFuture<ApiError>> outcomes = new LinkedHashMap<>();
        asked.batches()
                .forEach((partition, batches) ->
                        outcomes.put(partition, outcome(group, member, partition, batches, asked)));
        return CompletableFuture.allOf(outcomes.values().toArray(CompletableFuture<?>[]::new))
                .thenApply(done -> {
                    Map<TopicIdPartition, ApiError> results = new LinkedHashMap<>();
                    outcomes.forEach((partition, outcome) -> results.put(partition, outcome.join()));
                    return results;
                });
    }

    private CompletableFuture<ApiError> outcome(
            String group,
            String member,
            TopicIdPartition partition,
            List<ShareAcknowledgementBatch> batches,
            Asked asked) {
        if (!isValid(batches, asked)) {
            return CompletableFuture.completedFuture(new ApiError(Errors.INVALID_REQUEST));
        }
        SharePartitions.Outcome found = partitions.find(group, partition);
        OpenShare open = found.open();
        if (open == null) {
            return CompletableFuture.completedFuture(new ApiError(found.error()));
        }
        return open.partition()
                .acknowledge(member, batches)
                .handle((done, failure) -> failure == null ? ApiError.NONE : ApiError.fromThrowable(cause(failure)))
                .toCompletableFuture();
    }

    private static Throwable cause(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
    }

    /** As Kafka wants them: in order, with one type for all records or one for each. */
    private static boolean isValid(List<ShareAcknowledgementBatch> batches, Asked asked) {
        long before = -1;
        for (ShareAcknowledgementBatch batch : batches) {
            List<Byte> types = batch.acknowledgeTypes();
            long size = batch.lastOffset() - batch.firstOffset() + 1;
            boolean inOrder = batch.firstOffset() >= 0 && batch.firstOffset() > before && size > 0;
            boolean typed = types != null && !types.isEmpty() && (types.size() == 1 || types.size() == size);
            if (!inOrder || !typed || !types.stream().allMatch(type -> isKnown(type, asked))) {
                return false;
            }
            before = batch.lastOffset();
        }
        return true;
    }

    private static boolean isKnown(byte type, Asked asked) {
        return type >= 0 && (type <= REJECT || (type == RENEW && asked.renewable() && asked.renews()));
    }
}
