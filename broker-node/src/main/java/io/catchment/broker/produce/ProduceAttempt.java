package io.catchment.broker.produce;

import io.catchment.broker.network.Request;
import io.catchment.broker.partition.AppendCompletion;
import io.catchment.broker.partition.TransactionVerifier;
import io.catchment.broker.partition.TransactionVerifier.Ability;
import io.catchment.controlplane.ClusterImage;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.BatchIndexAndErrorMessage;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponse;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.ProduceResponse.RecordError;
import org.jspecify.annotations.Nullable;

/**
 * One produce request on its way: collects the partitions' outcomes (a slot for each, in request order) and answers when the
 * last is in, or when the client's timeout is over. Slots are written by the partitions' event loops, each once.
 */
final class ProduceAttempt implements AppendCompletion {
    /** From here on clients leave adding a partition to the transaction to whoever takes its records (KIP-890). */
    private static final int ADDING_VERSION = 12;

    private final Request request;
    private final ProduceRequest produce;
    private final Supplier<ClusterImage> image;
    private final AtomicReferenceArray<@Nullable PartitionProduceResponse> slots;
    private final AtomicInteger missing;
    private final AtomicBoolean answered = new AtomicBoolean();
    private volatile @Nullable ScheduledFuture<?> timeout;

    /** @param image asked who leads the partitions that this node refuses as not its own */
    ProduceAttempt(Request request, ProduceRequest produce, int partitions, Supplier<ClusterImage> image) {
        this.request = request;
        this.image = image;
        this.produce = produce;
        this.slots = new AtomicReferenceArray<>(partitions);
        this.missing = new AtomicInteger(partitions);
    }

    boolean isTransactional() {
        return produce.transactionalId() != null;
    }

    boolean wantsAllCopies() {
        return produce.acks() == -1;
    }

    /** Of a request that {@link #isTransactional}. */
    TransactionVerifier.Use use() {
        short version = request.header().apiVersion();
        Ability ability = version >= ADDING_VERSION
                ? Ability.ADDED_BY_LOG
                : version == ADDING_VERSION - 1 ? Ability.ABORTABLE : Ability.OLD;
        return new TransactionVerifier.Use(String.valueOf(produce.transactionalId()), ability);
    }

    /** On the request's event loop, after all partitions were asked. */
    void waitAtMost(int timeoutMs) {
        if (!answered.get()) {
            timeout = request.eventLoop().schedule(this::answer, Math.max(timeoutMs, 0), TimeUnit.MILLISECONDS);
            if (answered.get()) {
                cancelTimeout();
            }
        }
    }

    @Override
    public void acknowledged(int slot, long baseOffset, long logAppendTimeMs, long logStartOffset) {
        set(
                slot,
                new PartitionProduceResponse()
                        .setBaseOffset(baseOffset)
                        .setLogAppendTimeMs(logAppendTimeMs)
                        .setLogStartOffset(logStartOffset));
    }

    @Override
    public void failed(
            int slot, Errors error, @Nullable String message, List<RecordError> recordErrors, long logStartOffset) {
        List<BatchIndexAndErrorMessage> details = new ArrayList<>(recordErrors.size());
        for (RecordError recordError : recordErrors) {
            details.add(new BatchIndexAndErrorMessage()
                    .setBatchIndex(recordError.batchIndex)
                    .setBatchIndexErrorMessage(recordError.message));
        }
        set(slot, failure(error, message).setLogStartOffset(logStartOffset).setRecordErrors(details));
    }

    /** For what fails before a partition was found. */
    void failed(int slot, PartitionProduceResponse failure) {
        set(slot, failure);
    }

    static PartitionProduceResponse failure(Errors error, @Nullable String message) {
        return new PartitionProduceResponse()
                .setErrorCode(error.code())
                .setBaseOffset(ProduceResponse.INVALID_OFFSET)
                .setErrorMessage(message == null ? error.message() : message);
    }

    /** The first outcome counts. */
    private void set(int slot, PartitionProduceResponse outcome) {
        if (slots.compareAndSet(slot, null, outcome) && missing.decrementAndGet() == 0) {
            answer();
        }
    }

    void answer() {
        if (!answered.compareAndSet(false, true)) {
            return;
        }
        cancelTimeout();
        if (produce.acks() == 0) {
            answerNobody();
            return;
        }
        ProduceResponseData data = new ProduceResponseData();
        LeaderHints hints = null;
        int slot = 0;
        for (TopicProduceData topic : produce.data().topicData()) {
            List<PartitionProduceResponse> partitions =
                    new ArrayList<>(topic.partitionData().size());
            for (PartitionProduceData partition : topic.partitionData()) {
                PartitionProduceResponse outcome = slots.get(slot++);
                PartitionProduceResponse answer = outcome == null ? failure(Errors.REQUEST_TIMED_OUT, null) : outcome;
                if (LeaderHints.wanted(answer, request.header().apiVersion())) {
                    hints = hints == null ? new LeaderHints(image.get(), request.listener(), data) : hints;
                    hints.add(topic, partition.index(), answer);
                }
                partitions.add(answer.setIndex(partition.index()));
            }
            data.responses()
                    .add(new TopicProduceResponse()
                            .setName(topic.name())
                            .setTopicId(topic.topicId())
                            .setPartitionResponses(partitions));
        }
        request.respond(new ProduceResponse(data));
    }

    /** The only way to tell a client that awaits no answer: a failed request has none, so the network closes the connection. */
    private void answerNobody() {
        int slot = 0;
        for (TopicProduceData topic : produce.data().topicData()) {
            for (PartitionProduceData partition : topic.partitionData()) {
                PartitionProduceResponse outcome = slots.get(slot++);
                if (outcome != null && outcome.errorCode() != Errors.NONE.code()) {
                    String name = topic.name().isEmpty() ? topic.topicId().toString() : topic.name();
                    request.fail(Errors.forCode(outcome.errorCode())
                            .exception("acks=0, " + name + "-" + partition.index() + ": " + outcome.errorMessage()));
                    return;
                }
            }
        }
        request.respondNothing();
    }

    private void cancelTimeout() {
        ScheduledFuture<?> present = timeout;
        if (present != null) {
            present.cancel(false);
        }
    }
}
