package io.catchment.broker.fetch;

import io.catchment.broker.network.Request;
import io.catchment.broker.partition.PartitionDirectory;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.read.StreamExtents;
import io.catchment.broker.read.StreamReader;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.StreamState;
import io.catchment.objectstore.ObjectReader;
import io.catchment.wal.Wal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsTopicResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.requests.ListOffsetsResponse;
import org.jspecify.annotations.Nullable;

/**
 * ListOffsets: log start and end, by time, and where the levels of storage meet (KIP-405, KIP-1005, KIP-1023), told in
 * Kafka's words: tiered is what is published in object storage, local what lies in this node's extents. Thread-safe.
 */
public final class ListOffsetsHandler implements ApiHandler {
    private static final int TIMEOUT_MS = 30_000;
    private static final short TIMEOUT_VERSION = 10;

    /** From which version on a special timestamp may be asked for. */
    private static final Map<Long, Integer> SINCE = Map.of(
            ListOffsetsRequest.EARLIEST_TIMESTAMP, 1,
            ListOffsetsRequest.LATEST_TIMESTAMP, 1,
            ListOffsetsRequest.MAX_TIMESTAMP, 7,
            ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP, 8,
            ListOffsetsRequest.LATEST_TIERED_TIMESTAMP, 9,
            ListOffsetsRequest.EARLIEST_PENDING_UPLOAD_TIMESTAMP, 11);

    private static final short FIRST_VERSION_WITH_LEADER_EPOCH = 4;

    private final PartitionLookup lookup;
    private final TimestampSearch search;
    private final ReadFailures failures = new ReadFailures();

    /** Of a node that is alone. */
    public ListOffsetsHandler(
            PartitionDirectory partitions,
            StreamReader reader,
            Wal wal,
            ObjectReader objects,
            Supplier<ClusterImage> image,
            Executor executor) {
        this(partitions, reader, StreamExtents.alone(wal), objects, image, executor);
    }

    /** @param executor for searches by time, which decompress batches */
    public ListOffsetsHandler(
            PartitionDirectory partitions,
            StreamReader reader,
            StreamExtents extents,
            ObjectReader objects,
            Supplier<ClusterImage> image,
            Executor executor) {
        this.lookup = new PartitionLookup(partitions, image);
        this.search = new TimestampSearch(extents, objects, reader, image, executor);
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.LIST_OFFSETS;
    }

    @Override
    public void handle(Request request) {
        ListOffsetsRequest body = (ListOffsetsRequest) request.body();
        // a client that leaves it at 0 means no deadline: in Kafka only reads of remote storage have one
        int timeoutMs = body.version() >= TIMEOUT_VERSION && body.timeoutMs() > 0 ? body.timeoutMs() : TIMEOUT_MS;
        List<CompletableFuture<ListOffsetsTopicResponse>> topics = new ArrayList<>();
        body.data().topics().forEach(topic -> {
            List<CompletableFuture<ListOffsetsPartitionResponse>> partitions = topic.partitions().stream()
                    .map(partition -> answer(
                            body, new TopicPartition(topic.name(), partition.partitionIndex()), partition, timeoutMs))
                    .toList();
            topics.add(allOf(partitions)
                    .thenApply(answers ->
                            new ListOffsetsTopicResponse().setName(topic.name()).setPartitions(answers)));
        });
        CompletionStage<List<ListOffsetsTopicResponse>> all = allOf(topics);
        all.whenComplete((answers, failure) -> {
            if (failure == null) {
                request.respond(new ListOffsetsResponse(new ListOffsetsResponseData().setTopics(answers)));
            } else {
                request.fail(failure);
            }
        });
    }

    /** Never fails. */
    private CompletableFuture<ListOffsetsPartitionResponse> answer(
            ListOffsetsRequest body, TopicPartition partition, ListOffsetsPartition asked, int timeoutMs) {
        PartitionView view = lookup.serving(partition.topic(), Uuid.ZERO_UUID, partition.partition());
        Errors error = refusal(body, partition, asked, view);
        if (view == null || error != Errors.NONE) {
            return CompletableFuture.completedFuture(failed(partition, error));
        }
        CompletableFuture<TimedOffset> found = offset(view, Isolation.of(body::isolationLevel), asked.timestamp());
        if (!found.isDone()) {
            found = found.orTimeout(timeoutMs, TimeUnit.MILLISECONDS);
        }
        return found.handle((offset, failure) -> {
            if (failure != null) {
                return failed(partition, error(partition, asked.timestamp(), failure));
            }
            return new ListOffsetsPartitionResponse()
                    .setPartitionIndex(partition.partition())
                    .setTimestamp(offset.timestampMs())
                    .setOffset(offset.offset())
                    .setLeaderEpoch(
                            body.version() >= FIRST_VERSION_WITH_LEADER_EPOCH
                                    ? offset.leaderEpoch()
                                    : ListOffsetsResponse.UNKNOWN_EPOCH);
        });
    }

    private Errors refusal(
            ListOffsetsRequest body,
            TopicPartition partition,
            ListOffsetsPartition asked,
            @Nullable PartitionView view) {
        if (body.duplicatePartitions().contains(partition)) {
            return Errors.INVALID_REQUEST;
        }
        Integer since = SINCE.get(asked.timestamp());
        if (asked.timestamp() < 0 && (since == null || body.version() < since)) {
            return Errors.UNSUPPORTED_VERSION;
        }
        return view == null
                ? lookup.missing(partition.topic(), Uuid.ZERO_UUID, partition.partition())
                : PartitionLookup.checkEpoch(view, asked.currentLeaderEpoch());
    }

    private CompletableFuture<TimedOffset> offset(PartitionView view, IsolationLevel isolation, long timestamp) {
        long start = view.logStartOffset();
        long limit = isolation == IsolationLevel.READ_COMMITTED ? view.lastStableOffset() : view.highWatermark();
        if (timestamp == ListOffsetsRequest.EARLIEST_TIMESTAMP) {
            return CompletableFuture.completedFuture(at(view, start));
        }
        if (timestamp == ListOffsetsRequest.LATEST_TIMESTAMP) {
            return CompletableFuture.completedFuture(TimedOffset.untimed(limit, view.leaderEpoch()));
        }
        if (timestamp == ListOffsetsRequest.LATEST_TIERED_TIMESTAMP) {
            long end = publishedEnd(view);
            return CompletableFuture.completedFuture(end > 0 ? at(view, end - 1) : TimedOffset.NONE);
        }
        if (timestamp == ListOffsetsRequest.EARLIEST_PENDING_UPLOAD_TIMESTAMP) {
            return CompletableFuture.completedFuture(at(view, Math.max(start, publishedEnd(view))));
        }
        TimestampSearch.Scope scope = new TimestampSearch.Scope(view.streamId(), start, limit);
        if (timestamp == ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP) {
            return search.firstLocal(scope).thenApply(offset -> at(view, offset));
        }
        return timestamp == ListOffsetsRequest.MAX_TIMESTAMP
                ? search.latest(scope)
                : search.firstAtOrAfter(scope, timestamp);
    }

    /** Of the first record that is not older; the acknowledged end when all are. */
    public CompletableFuture<Long> firstAtOrAfter(PartitionView view, long timestampMs) {
        long end = view.highWatermark();
        return search.firstAtOrAfter(
                        new TimestampSearch.Scope(view.streamId(), view.logStartOffset(), end), timestampMs)
                .thenApply(found -> found.offset() < 0 ? end : found.offset());
    }

    private static TimedOffset at(PartitionView view, long offset) {
        return TimedOffset.untimed(offset, EpochEnd.at(view.epochStarts(), offset));
    }

    /** After the last published offset; 0 if nothing is published. */
    private long publishedEnd(PartitionView view) {
        Optional<StreamState> stream = lookup.image().stream(view.streamId());
        return stream.isEmpty() || stream.get().catalog().isEmpty()
                ? 0
                : stream.get().catalogEndOffset();
    }

    private Errors error(TopicPartition partition, long timestamp, Throwable failure) {
        if (ReadFailures.unwrap(failure) instanceof TimeoutException) {
            return Errors.REQUEST_TIMED_OUT;
        }
        failures.report(partition, "searching timestamp " + timestamp, failure);
        return Errors.KAFKA_STORAGE_ERROR;
    }

    private static ListOffsetsPartitionResponse failed(TopicPartition partition, Errors error) {
        return new ListOffsetsPartitionResponse()
                .setPartitionIndex(partition.partition())
                .setErrorCode(error.code())
                .setTimestamp(ListOffsetsResponse.UNKNOWN_TIMESTAMP)
                .setOffset(ListOffsetsResponse.UNKNOWN_OFFSET);
    }

    private static <T> CompletableFuture<List<T>> allOf(List<CompletableFuture<T>> futures) {
        return CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new))
                .thenApply(done -> futures.stream().map(CompletableFuture::join).toList());
    }
}
