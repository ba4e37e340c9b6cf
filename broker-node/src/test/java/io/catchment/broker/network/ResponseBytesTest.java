package io.catchment.broker.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.network.Send;
import org.apache.kafka.common.network.TransferableChannel;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.MetadataResponse;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.ResponseHeader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Our frames are Kafka's frames, byte for byte, and records get into them without being copied. */
class ResponseBytesTest {
    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, false);
    private final Random random = new Random(11);

    @AfterEach
    void nothingLeaks() {
        assertThat(allocator.metric().usedDirectMemory()).isZero();
    }

    /** What Kafka's own SendBuilder writes. */
    private static byte[] kafkas(ApiKeys api, short version, AbstractResponse response) throws IOException {
        Send send = response.toSend(header(api, version), version);
        Sink sink = new Sink();
        while (!send.completed()) {
            send.writeTo(sink);
        }
        return sink.bytes.toByteArray();
    }

    private List<ByteBuf> ours(ApiKeys api, short version, AbstractResponse response) {
        ResponseHeader header = header(api, version);
        List<ByteBuf> pieces = new ArrayList<>();
        int length = ResponseWriter.write(
                allocator, header.data(), header.headerVersion(), response.data(), version, pieces);
        assertThat(pieces.stream().mapToInt(ByteBuf::readableBytes).sum()).isEqualTo(length);
        return pieces;
    }

    private static byte[] joinAndRelease(List<ByteBuf> pieces) {
        ByteBuf all = Unpooled.wrappedBuffer(pieces.toArray(new ByteBuf[0]));
        byte[] bytes = ByteBufUtil.getBytes(all);
        all.release();
        return bytes;
    }

    private static ResponseHeader header(ApiKeys api, short version) {
        return new RequestHeader(api, version, "client", 4711).toResponseHeader();
    }

    private ByteBuf payload(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return allocator.directBuffer(length, length).writeBytes(bytes);
    }

    private FetchResponse fetch(short version, List<ByteBuf> payloads) {
        FetchResponseData data = new FetchResponseData().setThrottleTimeMs(3);
        Uuid topicId = new Uuid(5, 6);
        for (int i = 0; i < payloads.size(); i++) {
            FetchResponseData.FetchableTopicResponse topic = version < 13
                    ? new FetchResponseData.FetchableTopicResponse().setTopic("topic-" + i)
                    : new FetchResponseData.FetchableTopicResponse().setTopicId(topicId);
            topic.partitions()
                    .add(new FetchResponseData.PartitionData()
                            .setPartitionIndex(i)
                            .setHighWatermark(100L + i)
                            .setRecords(new ByteBufRecords(payloads.get(i))));
            topic.partitions()
                    .add(new FetchResponseData.PartitionData()
                            .setPartitionIndex(i + 1000)
                            .setErrorCode(Errors.NOT_LEADER_OR_FOLLOWER.code())
                            .setRecords(MemoryRecords.EMPTY));
            data.responses().add(topic);
        }
        return FetchResponse.of(data);
    }

    @Test
    void fetchAnswersAreKafkasBytesAtAllVersions() throws Exception {
        for (short version : ApiKeys.FETCH.allVersions()) {
            for (List<Integer> lengths : List.of(List.<Integer>of(), List.of(10, 0, 20), List.of(5_000, 1, 70_000))) {
                List<ByteBuf> payloads = lengths.stream().map(this::payload).toList();
                FetchResponse response = fetch(version, payloads);
                byte[] expected = kafkas(ApiKeys.FETCH, version, response);
                assertThat(joinAndRelease(ours(ApiKeys.FETCH, version, response)))
                        .as("version %s, records of %s bytes", version, lengths)
                        .isEqualTo(expected);
                assertThat(payloads)
                        .filteredOn(payload -> payload.capacity() > 0) // the empty buffer is a constant without a count
                        .allSatisfy(payload -> assertThat(payload.refCnt()).isZero());
            }
        }
    }

    @Test
    void produceAnswersAreKafkasBytesAtAllVersions() throws Exception {
        for (short version : ApiKeys.PRODUCE.allVersions()) {
            ProduceResponseData data = new ProduceResponseData().setThrottleTimeMs(9);
            for (int t = 0; t < 50; t++) {
                ProduceResponseData.TopicProduceResponse topic = version < 13
                        ? new ProduceResponseData.TopicProduceResponse().setName("topic-" + t)
                        : new ProduceResponseData.TopicProduceResponse().setTopicId(new Uuid(t, t));
                ProduceResponseData.PartitionProduceResponse partition =
                        new ProduceResponseData.PartitionProduceResponse()
                                .setIndex(t)
                                .setBaseOffset(1L << t)
                                .setLogAppendTimeMs(-1)
                                .setErrorCode(Errors.INVALID_RECORD.code());
                if (version >= 8) {
                    partition.setErrorMessage("wrong: ü");
                    partition
                            .recordErrors()
                            .add(new ProduceResponseData.BatchIndexAndErrorMessage()
                                    .setBatchIndex(3)
                                    .setBatchIndexErrorMessage("also wrong"));
                }
                topic.partitionResponses().add(partition);
                data.responses().add(topic);
            }
            ProduceResponse response = new ProduceResponse(data);
            assertThat(joinAndRelease(ours(ApiKeys.PRODUCE, version, response)))
                    .as("version %s", version)
                    .isEqualTo(kafkas(ApiKeys.PRODUCE, version, response));
        }
    }

    @Test
    void metadataAnswersAreKafkasBytesAtAllVersions() throws Exception {
        for (short version : ApiKeys.METADATA.allVersions()) {
            for (int partitions : new int[] {0, 3, 2_000}) {
                MetadataResponseData data = new MetadataResponseData().setControllerId(1);
                data.brokers()
                        .add(new MetadataResponseData.MetadataResponseBroker()
                                .setNodeId(1)
                                .setHost("host")
                                .setPort(9092));
                MetadataResponseData.MetadataResponseTopic topic =
                        new MetadataResponseData.MetadataResponseTopic().setName("t");
                for (int p = 0; p < partitions; p++) {
                    topic.partitions()
                            .add(new MetadataResponseData.MetadataResponsePartition()
                                    .setPartitionIndex(p)
                                    .setLeaderId(1)
                                    .setReplicaNodes(List.of(1))
                                    .setIsrNodes(List.of(1)));
                }
                data.topics().add(topic);
                MetadataResponse response = new MetadataResponse(data, version);
                assertThat(joinAndRelease(ours(ApiKeys.METADATA, version, response)))
                        .as("version %s, %s partitions", version, partitions)
                        .isEqualTo(kafkas(ApiKeys.METADATA, version, response));
            }
        }
    }

    @Test
    void largeRecordsAreSplicedInAndSmallAnswersAreOnePiece() {
        ByteBuf large = payload(100_000);
        List<ByteBuf> pieces = ours(ApiKeys.FETCH, (short) 12, fetch((short) 12, List.of(large)));
        assertThat(pieces).hasSize(3);
        assertThat(pieces.get(1)).isSameAs(large);
        joinAndRelease(pieces);
        List<ByteBuf> small = ours(ApiKeys.FETCH, (short) 12, fetch((short) 12, List.of(payload(300), payload(300))));
        assertThat(small).hasSize(1);
        joinAndRelease(small);
    }

    @Test
    void anAnswerThatCannotBeWrittenLeavesNothingBehind() {
        // a topic id cannot be written before version 13, a name not from there on
        List<ByteBuf> payloads = List.of(payload(50_000), payload(60_000));
        FetchResponse response = fetch((short) 12, payloads);
        response.data().responses().get(1).partitions().get(0).setRecords(new UnwritableRecords());
        List<ByteBuf> pieces = new ArrayList<>();
        ResponseHeader header = header(ApiKeys.FETCH, (short) 12);
        assertThatThrownBy(() -> ResponseWriter.write(
                        allocator, header.data(), header.headerVersion(), response.data(), (short) 12, pieces))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(pieces).isEmpty();
        ResponseWriter.release(response);
        assertThat(payloads.get(0).refCnt()).isZero();
        payloads.get(1).release();
    }

    private static final class UnwritableRecords implements org.apache.kafka.common.record.internal.BaseRecords {
        @Override
        public int sizeInBytes() {
            return 100_000;
        }

        @Override
        public org.apache.kafka.common.record.internal.RecordsSend<UnwritableRecords> toSend() {
            throw new AssertionError();
        }
    }

    /** Takes in whatever Kafka's Send writes, a little at a time. */
    private static final class Sink implements TransferableChannel {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        @Override
        public int write(ByteBuffer source) {
            int length = Math.min(source.remaining(), 10_000);
            byte[] copy = new byte[length];
            source.get(copy);
            bytes.writeBytes(copy);
            return length;
        }

        @Override
        public long write(ByteBuffer[] sources, int offset, int length) {
            long written = 0;
            for (int i = offset; i < offset + length; i++) {
                written += write(sources[i]);
                if (sources[i].hasRemaining()) {
                    break;
                }
            }
            return written;
        }

        @Override
        public long write(ByteBuffer[] sources) {
            return write(sources, 0, sources.length);
        }

        @Override
        public boolean hasPendingWrites() {
            return false;
        }

        @Override
        public long transferFrom(FileChannel fileChannel, long position, long count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }
}
