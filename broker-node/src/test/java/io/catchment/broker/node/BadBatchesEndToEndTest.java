package io.catchment.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RawClient;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32C;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Batches that no Kafka client sends: each is answered at once, with the error that Apache Kafka 4.4 gives (it was asked the same),
 * and none spoils the partition for its readers or for the flush.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadBatchesEndToEndTest {
    private static final short VERSION = 9;
    private static final long DEADLINE_S = 30;
    private static final int ATTRIBUTES = 21;

    private LocalNode node;
    private Admin admin;
    private RawClient client;

    @BeforeAll
    void start(@TempDir Path directory) throws Exception {
        node = LocalNode.start(directory, Map.of("catchment.wal.roll.ms", "1000"));
        admin = Admin.create(Map.of("bootstrap.servers", node.bootstrap()));
        admin.createTopics(List.of(
                        new NewTopic("t", 1, (short) 1),
                        new NewTopic("compacted", 1, (short) 1).configs(Map.of("cleanup.policy", "compact")),
                        new NewTopic("small", 1, (short) 1).configs(Map.of("max.message.bytes", "1000"))))
                .all()
                .get(DEADLINE_S, TimeUnit.SECONDS);
        client = new RawClient(node.port());
    }

    @AfterAll
    void stop() throws IOException {
        if (client != null) {
            client.close();
        }
        if (admin != null) {
            admin.close(Duration.ofSeconds(5));
        }
        if (node != null) {
            node.close();
        }
    }

    @Test
    void eachIsAnsweredAsKafkaDoesAndNoneSpoilsThePartition() throws Exception {
        List<String> kept = new ArrayList<>();
        accepted(kept, "good", batch -> batch);
        refused(Errors.CORRUPT_MESSAGE, "a flipped bit", batch -> batch.put(batch.limit() - 1, (byte) 0x55));
        refused(Errors.CORRUPT_MESSAGE, "magic 3", batch -> batch.put(16, (byte) 3));
        refused(Errors.INVALID_RECORD, "too many records told of", batch -> signed(batch.putInt(57, 5)));
        refused(Errors.INVALID_RECORD, "no record told of", batch -> signed(batch.putInt(57, 0)));
        refused(Errors.INVALID_RECORD, "a negative count", batch -> signed(batch.putInt(57, -1)));
        refused(Errors.INVALID_RECORD, "a last offset too large", batch -> signed(batch.putInt(23, 9)));
        refused(Errors.INVALID_RECORD, "a last offset below 0", batch -> signed(batch.putInt(23, -1)));
        refused(Errors.INVALID_RECORD, "a control batch", batch -> signed(batch.putShort(ATTRIBUTES, (short) 0x20)));
        refused(Errors.INVALID_RECORD, "a base offset", batch -> batch.putLong(0, 5));
        // Kafka says UNKNOWN_SERVER_ERROR to these two
        refused(Errors.INVALID_RECORD, "compression 7", batch -> signed(batch.putShort(ATTRIBUTES, (short) 7)));
        refused(Errors.INVALID_RECORD, "no gzip", batch -> signed(batch.putShort(ATTRIBUTES, (short) 1)));
        refused(Errors.INVALID_RECORD, "nothing", batch -> ByteBuffer.allocate(0));
        refused(Errors.CORRUPT_MESSAGE, "zeros", batch -> ByteBuffer.allocate(100));
        refused(Errors.INVALID_RECORD, "a batch cut short", batch -> batch.limit(batch.limit() - 10));
        refused(Errors.INVALID_RECORD, "two batches", batch -> joined(batch, batch));
        refused(Errors.INVALID_RECORD, "message format 0", batch -> old((byte) 0));
        refused(Errors.INVALID_RECORD, "message format 1", batch -> old((byte) 1));
        assertThat(error(produce("t", null))).as("null").isEqualTo(Errors.INVALID_RECORD);
        accepted(kept, "a wrong largest timestamp", batch -> signed(batch.putLong(35, 5)));
        accepted(kept, "the flag for append time", batch -> signed(batch.putShort(ATTRIBUTES, (short) 8)));
        accepted(kept, "garbage behind it", batch -> joined(batch, ByteBuffer.allocate(7)));
        accepted(
                kept,
                "half a batch behind it",
                batch -> joined(batch, batch.duplicate().limit(40)));
        accepted(kept, "good again", batch -> batch);

        assertThat(readAll(kept.size())).containsExactlyElementsOf(kept);
        awaitFlushed(kept.size());
    }

    @Test
    void clientsDoNotWriteToInternalTopics() throws Exception {
        admin.listConsumerGroupOffsets("anybody")
                .partitionsToOffsetAndMetadata()
                .get(DEADLINE_S, TimeUnit.SECONDS); // creates the topic
        PartitionProduceResponse refused = produce("__consumer_offsets", records("x"));
        assertThat(error(refused)).isEqualTo(Errors.INVALID_TOPIC_EXCEPTION);
    }

    @Test
    void theTopicsRulesHold() throws Exception {
        PartitionProduceResponse keyless = produce("compacted", batch(Compression.NONE, null, "v"));
        assertThat(error(keyless)).isEqualTo(Errors.INVALID_RECORD);
        assertThat(keyless.recordErrors()).hasSize(1);
        assertThat(error(produce("small", records("v".repeat(2_000))))).isEqualTo(Errors.MESSAGE_TOO_LARGE);
    }

    /** -1 means that the batch keeps its own times; a client takes anything else for the records' time. */
    @Test
    void onlyTopicsThatStampRecordsTellOfTheirAppendTime() throws Exception {
        for (Compression compression : List.of(
                Compression.NONE, Compression.gzip().build(), Compression.zstd().build())) {
            PartitionProduceResponse done = produce("compacted", batch(compression, "k", "v"));
            assertThat(error(done)).isEqualTo(Errors.NONE);
            assertThat(done.logAppendTimeMs()).isEqualTo(-1);
        }
    }

    private void accepted(List<String> kept, String value, UnaryOperator<ByteBuffer> change) throws IOException {
        PartitionProduceResponse done = produce("t", change.apply(records(value)));
        assertThat(error(done)).as(value).isEqualTo(Errors.NONE);
        assertThat(done.baseOffset()).as(value).isEqualTo(kept.size());
        assertThat(done.logAppendTimeMs()).as(value).isEqualTo(-1);
        kept.add(value);
    }

    private void refused(Errors expected, String what, UnaryOperator<ByteBuffer> change) throws IOException {
        assertThat(error(produce("t", change.apply(records(what))))).as(what).isEqualTo(expected);
    }

    private List<String> readAll(int count) {
        List<String> values = new ArrayList<>();
        TopicPartition partition = new TopicPartition("t", 0);
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", node.bootstrap()), new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
            while (values.size() < count && System.nanoTime() < deadline) {
                consumer.poll(Duration.ofMillis(100)).forEach(record -> values.add(record.value()));
            }
        }
        return values;
    }

    /** The last offset in object storage is the last there is. */
    private void awaitFlushed(int count) throws Exception {
        TopicPartition partition = new TopicPartition("t", 0);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
        long flushed = -1;
        while (flushed < count - 1) {
            assertThat(System.nanoTime()).as("flushed up to " + flushed).isLessThan(deadline);
            flushed = admin.listOffsets(Map.of(partition, OffsetSpec.latestTiered()))
                    .partitionResult(partition)
                    .get(DEADLINE_S, TimeUnit.SECONDS)
                    .offset();
            Thread.sleep(50);
        }
    }

    private static Errors error(PartitionProduceResponse answer) {
        return Errors.forCode(answer.errorCode());
    }

    private PartitionProduceResponse produce(String topic, ByteBuffer records) throws IOException {
        ProduceRequestData data = new ProduceRequestData().setAcks((short) -1).setTimeoutMs(10_000);
        ProduceRequestData.TopicProduceData to = new ProduceRequestData.TopicProduceData().setName(topic);
        to.partitionData()
                .add(new ProduceRequestData.PartitionProduceData()
                        .setIndex(0)
                        .setRecords(records == null ? null : MemoryRecords.readableRecords(records)));
        data.topicData().add(to);
        ProduceResponseData answer = client.call(ApiKeys.PRODUCE, VERSION, data);
        return answer.responses().iterator().next().partitionResponses().get(0);
    }

    private static ByteBuffer records(String value) {
        return batch(Compression.NONE, "k", value);
    }

    private static ByteBuffer batch(Compression compression, String key, String value) {
        SimpleRecord record = new SimpleRecord(
                1_000,
                key == null ? null : key.getBytes(StandardCharsets.UTF_8),
                value.getBytes(StandardCharsets.UTF_8));
        ByteBuffer bytes = MemoryRecords.withRecords(compression, record).buffer();
        return ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
    }

    private static ByteBuffer old(byte magic) {
        try (MemoryRecordsBuilder builder = MemoryRecords.builder(
                ByteBuffer.allocate(500), magic, Compression.NONE, TimestampType.CREATE_TIME, 0)) {
            builder.append(5L, new byte[] {'k'}, new byte[] {'v'});
            return builder.build().buffer();
        }
    }

    private static ByteBuffer joined(ByteBuffer first, ByteBuffer second) {
        ByteBuffer both = ByteBuffer.allocate(first.remaining() + second.remaining());
        return both.put(first.duplicate()).put(second.duplicate()).flip();
    }

    /** With the checksum of what it says now. */
    private static ByteBuffer signed(ByteBuffer batch) {
        CRC32C crc = new CRC32C();
        crc.update(batch.duplicate().position(ATTRIBUTES));
        return batch.putInt(17, (int) crc.getValue());
    }
}
