package io.catchment.broker.node;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.catchment.broker.testing.RawClient;
import io.catchment.broker.testing.TestBatches;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** A whole node among clients that misbehave: it stays within its memory, and the others do not notice. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostileClientsEndToEndTest {
    private static final long DEADLINE_S = 60;
    private static final int MIB = 1 << 20;
    private static final int UNSENT_MAX = 96 * MIB;
    private static final int TAIL_MAX = 16 * MIB;
    private static final int BIG_BATCHES = 48;
    private static final int BATCH_RECORDS = 16;

    private LocalNode node;
    private int httpPort;

    @BeforeAll
    void start(@TempDir Path directory) throws Exception {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            httpPort = free.getLocalPort();
        }
        node = LocalNode.start(
                directory,
                Map.of(
                        "catchment.http.port",
                        Integer.toString(httpPort),
                        "catchment.unsent.response.max.bytes",
                        Integer.toString(UNSENT_MAX),
                        "catchment.tail.cache.bytes",
                        Integer.toString(TAIL_MAX)));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", node.bootstrap()))) {
            admin.createTopics(List.of(
                            new NewTopic("big", 1, (short) 1),
                            new NewTopic("tail", 1, (short) 1),
                            new NewTopic("small", 1, (short) 1)))
                    .all()
                    .get(DEADLINE_S, TimeUnit.SECONDS);
        }
        try (RawClient client = new RawClient(node.port())) {
            fill(client, "big", BIG_BATCHES);
            fill(client, "tail", 6);
        }
    }

    private static void fill(RawClient client, String topic, int batches) throws IOException {
        for (int i = 0; i < batches; i++) {
            ProduceResponseData answer =
                    produce(client, topic, (short) -1, TestBatches.batch(0, BATCH_RECORDS, 60_000));
            assertThat(Errors.forCode(answer.responses()
                            .iterator()
                            .next()
                            .partitionResponses()
                            .get(0)
                            .errorCode()))
                    .isEqualTo(Errors.NONE);
        }
    }

    @AfterAll
    void stop() {
        if (node != null) {
            node.close();
        }
    }

    @Test
    void producesWithoutAcknowledgementAreNotAnsweredAndOneThatFailsEndsItsConnection() throws Exception {
        try (RawClient client = new RawClient(node.port())) {
            for (int i = 0; i < 200; i++) {
                sendProduce(client, "small", (short) 0, TestBatches.batch(0, 1, 100));
            }
            ApiVersionsResponseData next = client.call(ApiKeys.API_VERSIONS, (short) 0, new ApiVersionsRequestData());
            assertThat(Errors.forCode(next.errorCode()))
                    .as("the next answer is that to the next request")
                    .isEqualTo(Errors.NONE);
            sendProduce(client, "nobody", (short) 0, TestBatches.batch(0, 1, 100));
            assertThat(client.isClosedByServer()).isTrue();
        }
        try (RawClient client = new RawClient(node.port())) {
            byte[] corrupt = TestBatches.batch(0, 1, 100);
            corrupt[corrupt.length - 1] ^= 1;
            sendProduce(client, "small", (short) 0, corrupt);
            assertThat(client.isClosedByServer()).isTrue();
        }
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            TopicPartition small = new TopicPartition("small", 0);
            assertThat(consumer.endOffsets(List.of(small)).get(small)).isGreaterThanOrEqualTo(200);
        }
    }

    /** Each asks for as much as the node gives at once, again and again, and reads nothing. */
    @Test
    void clientsThatDoNotReadCostBoundedMemoryAndHarmNobody() throws Exception {
        List<RawClient> deaf = new ArrayList<>();
        try {
            for (int i = 0; i < 30; i++) {
                deaf.add(deafClient("tail"));
            }
            await(() -> metric("catchment_response_unsent_bytes") > 0, "answers that nobody reads");
            for (int i = 0; i < 5; i++) {
                long begun = System.nanoTime();
                roundTrip();
                assertThat(Duration.ofNanos(System.nanoTime() - begun))
                        .as("a record's way there and back beside them")
                        .isLessThan(Duration.ofSeconds(4));
                assertThat(metric("catchment_response_unsent_bytes"))
                        .as("bytes unsent")
                        .isLessThanOrEqualTo(UNSENT_MAX);
            }
        } finally {
            for (RawClient client : deaf) {
                client.close();
            }
        }
        await(() -> metric("catchment_response_unsent_bytes") == 0, "nothing unsent");
    }

    /** The same below the tail, where answers hold memory that other reads wait for. */
    @Test
    void clientsThatDoNotReadOldRecordsDoNotKeepOthersFromReadingThem() throws Exception {
        List<RawClient> deaf = new ArrayList<>();
        try {
            for (int i = 0; i < 40; i++) {
                deaf.add(deafClient("big"));
            }
            TopicPartition big = new TopicPartition("big", 0);
            try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
                consumer.assign(List.of(big));
                consumer.seekToBeginning(List.of(big));
                long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
                int read = 0;
                while (read < BIG_BATCHES * BATCH_RECORDS) {
                    read += consumer.poll(Duration.ofMillis(100)).count();
                    assertThat(System.nanoTime()).as("read " + read).isLessThan(deadline);
                }
            }
        } finally {
            for (RawClient client : deaf) {
                client.close();
            }
        }
        await(() -> metric("catchment_response_unsent_bytes") == 0, "nothing unsent");
    }

    @Test
    void strangersAreTurnedAwayAndAProducerBesideThemIsNotDisturbed() throws Exception {
        byte[] tlsHello = {0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, (byte) 0xfc, 0x03, 0x03};
        byte[] random = new byte[4096];
        new java.util.Random(7).nextBytes(random);
        List<byte[]> openings = List.of(
                "GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(US_ASCII),
                tlsHello,
                random,
                new byte[8],
                ByteBuffer.allocate(8).putInt(-1).array(),
                ByteBuffer.allocate(8).putInt((100 << 20) + 1).array(),
                ByteBuffer.allocate(8).putInt(Integer.MAX_VALUE).array());
        try (RawClient beside = new RawClient(node.port())) {
            for (int round = 0; round < 5; round++) {
                for (byte[] opening : openings) {
                    try (RawClient stranger = new RawClient(node.port())) {
                        stranger.send(opening);
                        assertThat(stranger.isClosedByServer()).isTrue();
                    }
                    produce(beside, "small", (short) 1, TestBatches.batch(0, 1, 100));
                }
            }
        }
        await(() -> metric("catchment_request_queue_bytes") == 0, "no request memory held");
    }

    /** A record there and back by Kafka's own clients. */
    private void roundTrip() {
        byte[] value = Long.toString(System.nanoTime()).getBytes(US_ASCII);
        TopicPartition small = new TopicPartition("small", 0);
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                        Map.of("bootstrap.servers", node.bootstrap()),
                        new ByteArraySerializer(),
                        new ByteArraySerializer());
                KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            consumer.assign(List.of(small));
            consumer.seekToEnd(List.of(small));
            consumer.position(small);
            producer.send(new ProducerRecord<>("small", 0, null, value));
            producer.flush();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
            while (System.nanoTime() < deadline) {
                for (var record : consumer.poll(Duration.ofMillis(100))) {
                    if (java.util.Arrays.equals(record.value(), value)) {
                        return;
                    }
                }
            }
        }
        throw new AssertionError("The record did not come back");
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        return new KafkaConsumer<>(
                Map.of("bootstrap.servers", node.bootstrap()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
    }

    private static ProduceResponseData produce(RawClient client, String topic, short acks, byte[] batch)
            throws IOException {
        sendProduce(client, topic, acks, batch);
        return client.receive(ApiKeys.PRODUCE, (short) 12);
    }

    private static void sendProduce(RawClient client, String topic, short acks, byte[] batch) throws IOException {
        ProduceRequestData data = new ProduceRequestData().setAcks(acks).setTimeoutMs(30_000);
        ProduceRequestData.TopicProduceData to = new ProduceRequestData.TopicProduceData().setName(topic);
        to.partitionData()
                .add(new ProduceRequestData.PartitionProduceData()
                        .setIndex(0)
                        .setRecords(MemoryRecords.readableRecords(ByteBuffer.wrap(batch))));
        data.topicData().add(to);
        client.send(ApiKeys.PRODUCE, (short) 12, (short) 12, data);
    }

    /** It has asked for records and will not read them. */
    private RawClient deafClient(String topic) throws IOException {
        RawClient client = new RawClient(node.port());
        for (int i = 0; i < 10; i++) {
            sendFetch(client, topic);
        }
        return client;
    }

    private static void sendFetch(RawClient client, String topic) throws IOException {
        FetchRequestData data =
                new FetchRequestData().setMaxWaitMs(1_000).setMinBytes(1).setMaxBytes(50 * MIB);
        FetchRequestData.FetchTopic of = new FetchRequestData.FetchTopic().setTopic(topic);
        of.partitions()
                .add(new FetchRequestData.FetchPartition()
                        .setPartition(0)
                        .setFetchOffset(0)
                        .setPartitionMaxBytes(50 * MIB));
        data.topics().add(of);
        client.send(ApiKeys.FETCH, (short) 12, (short) 12, data);
    }

    private long metric(String name) {
        try {
            HttpResponse<String> page = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + "/metrics"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            for (String line : page.body().split("\n")) {
                if (line.startsWith(name + " ") || line.startsWith(name + "{")) {
                    return (long) Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
                }
            }
            throw new AssertionError("No metric " + name + " in " + page.body());
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void await(java.util.function.BooleanSupplier condition, String what) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waiting for: " + what).isLessThan(deadline);
            Thread.sleep(20);
        }
    }
}
