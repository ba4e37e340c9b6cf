package io.catchment.broker.produce;

import io.catchment.broker.network.Request;
import io.catchment.broker.partition.OwnedPartitions;
import io.catchment.broker.partition.PartitionView;
import io.catchment.broker.request.ApiHandler;
import io.catchment.controlplane.ClusterImage;
import io.catchment.controlplane.StreamState;
import io.catchment.controlplane.TopicState;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData.LeaderIdAndEpoch;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;

/**
 * Produce (KIP-98, KIP-516 topic ids, KIP-951 new leader). Each batch is appended on its partition's event loop, straight from
 * the network buffer; acks=1 waits for the quorum like acks=all. With acks=0 nobody is answered, but the request still counts as
 * under way until its batches are in: so memory and pipelining stay bounded, and a failure ends the connection, as in Kafka.
 */
public final class ProduceHandler implements ApiHandler {
    private static final short FIRST_VERSION_WITH_TOPIC_IDS = 13;
    private static final short FIRST_VERSION_WITH_LEADER = 10;

    private final OwnedPartitions partitions;
    private final Supplier<ClusterImage> image;
    private final Time time;

    public ProduceHandler(OwnedPartitions partitions, Supplier<ClusterImage> image, Time time) {
        this.partitions = partitions;
        this.image = image;
        this.time = time;
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
        if (produce.transactionalId() != null) {
            request.fail(Errors.TRANSACTIONAL_ID_NOT_FOUND.exception("transactions are not supported by this version"));
            return;
        }
        int slots = 0;
        for (TopicProduceData topic : produce.data().topicData()) {
            slots += topic.partitionData().size();
        }
        ProduceAttempt attempt = new ProduceAttempt(request, produce, slots);
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
        if (partition == null || !partition.serving()) {
            attempt.failed(slot, notServed(version, topic, data.index()));
            return;
        }
        MemoryRecords records = (MemoryRecords) data.records();
        try {
            ProduceRequest.validateRecords(version, records);
        } catch (ApiException e) {
            attempt.failed(slot, ProduceAttempt.failure(Errors.forException(e), e.getMessage()));
            return;
        }
        ByteBuffer batch = records.buffer();
        ByteBuf buffer = request.buffer();
        EventLoop loop = partitions.eventLoop(partition);
        if (loop.inEventLoop()) {
            partitions.append(partition, batch, buffer, attempt, slot, nowMs);
        } else {
            buffer.retain();
            loop.execute(() -> {
                try {
                    partitions.append(partition, batch, buffer, attempt, slot, nowMs);
                } finally {
                    buffer.release();
                }
            });
        }
    }

    private PartitionProduceResponse notServed(short version, TopicProduceData topic, int index) {
        boolean byId = version >= FIRST_VERSION_WITH_TOPIC_IDS;
        ClusterImage now = image.get();
        @Nullable TopicState state = (byId ? now.topic(topic.topicId()) : now.topic(topic.name())).orElse(null);
        if (state == null || index < 0 || index >= state.streams().size()) {
            boolean unknownId = byId && state == null;
            return ProduceAttempt.failure(
                    unknownId ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION, null);
        }
        PartitionProduceResponse failure = ProduceAttempt.failure(Errors.NOT_LEADER_OR_FOLLOWER, null);
        if (version < FIRST_VERSION_WITH_LEADER) {
            return failure;
        }
        Optional<StreamState> stream = now.stream(state.streams().get(index));
        stream.ifPresent(owned -> failure.setCurrentLeader(
                new LeaderIdAndEpoch().setLeaderId(owned.ownerNodeId()).setLeaderEpoch(owned.epoch())));
        return failure;
    }
}
