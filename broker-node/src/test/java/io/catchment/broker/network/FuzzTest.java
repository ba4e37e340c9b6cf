package io.catchment.broker.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.ApiVersionsResponse;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.MetadataRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.junit.jupiter.api.Test;

/**
 * Real requests with bytes flipped, cut, doubled: whatever comes, the connection beside is served, and nothing is left. Replay with
 * {@code -Dfuzz.seed=SEED}.
 */
class FuzzTest {
    private static final long RUN_MS = 3_000;

    private static List<byte[]> realRequests() {
        List<byte[]> requests = new ArrayList<>();
        requests.add(WireClient.apiVersions(1));
        MemoryRecords records = MemoryRecords.withRecords(
                Compression.NONE,
                new SimpleRecord(1L, "key".getBytes(java.nio.charset.StandardCharsets.UTF_8), new byte[200]),
                new SimpleRecord(2L, null, new byte[20]));
        requests.add(WireClient.produce(2, (short) 1, records.buffer()));
        requests.add(WireClient.produce(3, (short) -1, ByteBuffer.allocate(30_000)));
        MetadataRequestData metadata = new MetadataRequestData();
        for (int i = 0; i < 20; i++) {
            metadata.topics().add(new MetadataRequestData.MetadataRequestTopic().setName("topic-" + i));
        }
        short version = ApiKeys.METADATA.latestVersion();
        requests.add(WireClient.frame(
                new RequestHeader(ApiKeys.METADATA, version, "fuzz", 4), new MetadataRequest(metadata, version)));
        FetchRequestData fetch = new FetchRequestData();
        for (int i = 0; i < 10; i++) {
            FetchRequestData.FetchTopic topic = new FetchRequestData.FetchTopic().setTopic("topic-" + i);
            topic.partitions().add(new FetchRequestData.FetchPartition().setPartition(i));
            fetch.topics().add(topic);
        }
        requests.add(WireClient.frame(
                new RequestHeader(ApiKeys.FETCH, (short) 12, "fuzz", 5), new FetchRequest(fetch, (short) 12)));
        return requests;
    }

    private static void answer(Request request) {
        switch (request.header().apiKey()) {
            case API_VERSIONS -> request.respond(new ApiVersionsResponse(new ApiVersionsResponseData()));
            case PRODUCE -> request.respond(new ProduceResponse(new ProduceResponseData()));
            default -> request.fail(Errors.UNKNOWN_TOPIC_OR_PARTITION.exception());
        }
    }

    private static byte[] mutate(byte[] request, Random random) {
        byte[] bytes = request.clone();
        switch (random.nextInt(6)) {
            case 0 -> bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            case 1 -> {
                for (int i = 0; i < 1 + random.nextInt(8); i++) {
                    bytes[4 + random.nextInt(bytes.length - 4)] = (byte) random.nextInt(256);
                }
            }
            case 2 -> bytes = java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length));
            case 3 -> ByteBuffer.wrap(bytes).putInt(0, random.nextInt(2 * bytes.length));
            case 4 ->
                ByteBuffer.wrap(bytes)
                        .putInt(4 + random.nextInt(bytes.length - 8), random.nextInt(4) == 0 ? -1 : random.nextInt());
            default -> {
                byte[] twice = java.util.Arrays.copyOf(bytes, bytes.length + 40);
                System.arraycopy(bytes, 0, twice, bytes.length, Math.min(40, bytes.length));
                bytes = twice;
            }
        }
        return bytes;
    }

    @Test
    void mutatedRequestsHarmOnlyTheirOwnConnection() throws Exception {
        long seed = Long.getLong("fuzz.seed", System.nanoTime());
        System.out.println("FuzzTest seed " + seed + ", replay with -Dtest=FuzzTest -DargLine=-Dfuzz.seed=" + seed);
        Random random = new Random(seed);
        List<byte[]> requests = realRequests();
        NetworkLimits limits = new NetworkLimits(1 << 20, 1 << 20, 8 << 20, 64, 64 << 20, 1000, 60_000, 60_000);
        try (TestServer server = new TestServer(limits, FuzzTest::answer);
                WireClient neighbour = server.connect()) {
            long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(RUN_MS);
            int rounds = 0;
            while (System.nanoTime() < deadline) {
                attack(server, requests, random);
                neighbour.send(WireClient.apiVersions(rounds));
                assertThat(neighbour.receiveCorrelationId()).isEqualTo(rounds);
                rounds++;
            }
            System.out.println("FuzzTest: " + rounds + " rounds, connections ended: " + server.closed.size());
            assertThat(rounds).isPositive();
            // The last connections may end meanwhile
            assertThat(List.copyOf(server.closed)).doesNotContain(CloseReason.ERROR);
        }
    }

    /** Some good requests, then mutated ones, in pieces as the network may cut them; then the client goes. */
    private static void attack(TestServer server, List<byte[]> requests, Random random) {
        try (WireClient client = server.connect()) {
            int count = 1 + random.nextInt(5);
            for (int i = 0; i < count; i++) {
                byte[] request = requests.get(random.nextInt(requests.size()));
                byte[] bytes = random.nextInt(3) == 0 ? request : mutate(request, random);
                int cut = bytes.length == 0 ? 0 : random.nextInt(bytes.length);
                client.send(bytes, 0, cut);
                client.send(bytes, cut, bytes.length - cut);
            }
        } catch (IOException closedByServer) {
            // as it should
        }
    }
}
