package io.catchment.broker.produce;

import io.catchment.broker.batch.BatchHeader;
import io.catchment.broker.network.Request;
import io.catchment.broker.partition.OwnedPartitions;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.quota.ClientQuotas;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.TopicState;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Produce (KIP-98, KIP-516 topic ids, KIP-951 new leader). Each batch is appended on its partition's event loop, straight from
 * the network buffer; acks=1 waits for the quorum like acks=all. With acks=0 nobody is answered, but the request still counts as
 * under way until its batches are in: so memory and pipelining stay bounded, and a failure ends the connection, as in Kafka.
 */
public final class ProduceHandler implements ApiHandler {
    private static final Logger LOG = LoggerFactory.getLogger(ProduceHandler.class);
    private static final short FIRST_VERSION_WITH_TOPIC_IDS = 13;
    /** Who may write to internal topics: Kafka's tools to repair them. */
    private static final String ADMIN_CLIENT_ID = "__admin_client";

    private final OwnedPartitions partitions;
    private final Supplier<ClusterImage> image;
    private final Time time;
    private final ClientQuotas quotas;
    private final RequiredCopies copies;

    public ProduceHandler(
            OwnedPartitions partitions,
            Supplier<ClusterImage> image,
            Time time,
            ClientQuotas quotas,
            RequiredCopies copies) {
        this.partitions = partitions;
        this.image = image;
        this.time = time;
        this.quotas = quotas;
        this.copies = copies;
    }

    @Override
    public ApiKeys api() {
        return ApiKeys.PRODUCE;
    }

    @Override
    public void handle(Request request) {
        ProduceRequest produce = (ProduceRequest) request.body();
        short acks = produce.acks();
        if (acks < -1 || acks > 1) {
            request.fail(Errors.INVALID_REQUIRED_ACKS.exception());
            return;
        }
        request.throttle(quotas.produced(request.context(), request.buffer().readableBytes()));
        int slots = 0;
        for (TopicProduceData topic : produce.data().topicData()) {
            slots += topic.partitionData().size();
        }
        ProduceAttempt attempt = new ProduceAttempt(request, produce, slots, image);
        long nowMs = time.milliseconds();
        short version = request.header().apiVersion();
        int slot = 0;
        for (TopicProduceData topic : produce.data().topicData()) {
            for (PartitionProduceData partition : topic.partitionData()) {
                append(request, version, topic, partition, attempt, slot++, nowMs);
            }
        }
        if (slots == 0) {
            attempt.answer();
        } else if (acks != 0) {
            attempt.waitAtMost(produce.timeout());
        }
    }

    private void append(
            Request request,
            short version,
            TopicProduceData topic,
            PartitionProduceData data,
            ProduceAttempt attempt,
            int slot,
            long nowMs) {
        boolean byId = version >= FIRST_VERSION_WITH_TOPIC_IDS;
        PartitionView partition =
                byId ? partitions.find(topic.topicId(), data.index()) : partitions.find(topic.name(), data.index());
        if (partition == null) {
            appendWhenServed(request, version, topic, data, attempt, slot);
        } else {
            append(request, version, topic, partition, data, attempt, slot, nowMs);
        }
    }

    /** A stream that was just given to this node: a refusal would cost the client its backoff, opening it takes milliseconds. */
    private void appendWhenServed(
            Request request,
            short version,
            TopicProduceData topic,
            PartitionProduceData data,
            ProduceAttempt attempt,
            int slot) {
        @Nullable TopicState state = topic(version, topic);
        OwnedPartitions.Awaited awaited =
                state == null || !isIndexOf(state, data.index()) ? null : partitions.awaitServed(state, data.index());
        if (awaited == null) {
            attempt.failed(slot, notServed(version, topic, data.index()));
            return;
        }
        CompletableFuture<PartitionView> served = awaited.partition();
        ByteBuf buffer = request.buffer().retain();
        var patience = request.eventLoop()
                .schedule(
                        () -> served.completeExceptionally(Errors.NOT_LEADER_OR_FOLLOWER.exception()),
                        awaited.patienceMs(),
                        TimeUnit.MILLISECONDS);
        var unused = served.whenComplete((partition, failure) -> {
            patience.cancel(false);
            try {
                if (partition == null) {
                    attempt.failed(slot, notServed(version, topic, data.index()));
                } else {
                    append(request, version, topic, partition, data, attempt, slot, time.milliseconds());
                }
            } finally {
                buffer.release();
            }
        });
    }

    private void append(
            Request request,
            short version,
            TopicProduceData topic,
            PartitionView partition,
            PartitionProduceData data,
            ProduceAttempt attempt,
            int slot,
            long nowMs) {
        if (!partition.serving()) {
            attempt.failed(slot, notServed(version, topic, data.index()));
            return;
        }
        String name = partition.topicPartition().topic();
        if (Topic.isInternal(name) && !ADMIN_CLIENT_ID.equals(request.header().clientId())) {
            attempt.failed(
                    slot,
                    ProduceAttempt.failure(Errors.INVALID_TOPIC_EXCEPTION, "Cannot append to internal topic " + name));
            return;
        }
        if (attempt.wantsAllCopies() && !copies.suffice(name)) {
            attempt.failed(
                    slot,
                    ProduceAttempt.failure(
                            Errors.NOT_ENOUGH_REPLICAS,
                            "The nodes that run cannot hold as many copies of " + partition.topicPartition()
                                    + " as min.insync.replicas asks for"));
            return;
        }
        ByteBuffer batch;
        try {
            batch = onlyBatch(version, data);
        } catch (ApiException e) {
            attempt.failed(slot, ProduceAttempt.failure(Errors.forException(e), e.getMessage()));
            return;
        }
        ByteBuf buffer = request.buffer();
        if (BatchHeader.isTransactional(batch, batch.position()) && !attempt.isTransactional()) {
            attempt.failed(
                    slot,
                    ProduceAttempt.failure(
                            Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
                            "Records of a transaction without a transactional id"));
            return;
        }
        EventLoop loop = partitions.eventLoop(partition);
        if (loop.inEventLoop()) {
            append(partition, batch, buffer, attempt, slot, nowMs);
        } else {
            buffer.retain();
            loop.execute(() -> {
                try {
                    append(partition, batch, buffer, attempt, slot, nowMs);
                } finally {
                    buffer.release();
                }
            });
        }
    }

    /** What goes wrong unexpectedly is this partition's failure, not the request's, which has others under way. */
    private void append(
            PartitionView partition, ByteBuffer batch, ByteBuf buffer, ProduceAttempt attempt, int slot, long nowMs) {
        try {
            if (BatchHeader.isTransactional(batch, batch.position())) {
                partitions.appendInTransaction(partition, batch, buffer, attempt.use(), attempt, slot, nowMs);
            } else {
                partitions.append(partition, batch, buffer, attempt, slot, nowMs);
            }
        } catch (RuntimeException e) {
            LOG.error("A batch for {} could not be appended", partition.topicPartition(), e);
            attempt.failed(slot, ProduceAttempt.failure(Errors.UNKNOWN_SERVER_ERROR, null));
        }
    }

    /** The one batch there must be; bytes behind it that are no whole batch are dropped, as in Kafka. */
    private static ByteBuffer onlyBatch(short version, PartitionProduceData data) {
        if (!(data.records() instanceof MemoryRecords records)) {
            throw Errors.INVALID_RECORD.exception("Produce request without records");
        }
        ProduceRequest.validateRecords(version, records);
        ByteBuffer batch = records.buffer();
        return batch.limit(batch.position() + BatchHeader.sizeInBytes(batch, batch.position()));
    }

    private @Nullable TopicState topic(short version, TopicProduceData topic) {
        ClusterImage now = image.get();
        boolean byId = version >= FIRST_VERSION_WITH_TOPIC_IDS;
        return (byId ? now.topic(topic.topicId()) : now.topic(topic.name())).orElse(null);
    }

    private static boolean isIndexOf(TopicState topic, int index) {
        return index >= 0 && index < topic.streams().size();
    }

    private PartitionProduceResponse notServed(short version, TopicProduceData topic, int index) {
        @Nullable TopicState state = topic(version, topic);
        if (state == null || !isIndexOf(state, index)) {
            boolean unknownId = version >= FIRST_VERSION_WITH_TOPIC_IDS && state == null;
            return ProduceAttempt.failure(
                    unknownId ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION, null);
        }
        return ProduceAttempt.failure(Errors.NOT_LEADER_OR_FOLLOWER, null);
    }
}
