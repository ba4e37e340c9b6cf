package io.catchment.broker.network;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ApiVersionsResponse;
import org.apache.kafka.common.requests.ProduceResponse;
import org.junit.jupiter.api.Test;

/** Requests are handed on in their order, answers leave in that order, whoever answers when. */
class ResponseOrderTest {
    private static AbstractResponse emptyAnswer(Request request) {
        return switch (request.header().apiKey()) {
            case API_VERSIONS -> new ApiVersionsResponse(new ApiVersionsResponseData());
            case PRODUCE -> new ProduceResponse(new ProduceResponseData());
            default -> throw new AssertionError(request.header());
        };
    }

    @Test
    void answersOutOfOrderFromOtherThreadsLeaveInOrder() throws Exception {
        long seed = System.nanoTime();
        System.out.println("ResponseOrderTest seed " + seed);
        Random random = new Random(seed);
        List<Request> held = Collections.synchronizedList(new ArrayList<>());
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try (TestServer server = new TestServer(NetworkLimits.DEFAULTS, held::add);
                WireClient client = server.connect()) {
            int count = 40;
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (int i = 0; i < count; i++) {
                all.writeBytes(
                        random.nextBoolean()
                                ? WireClient.apiVersions(i)
                                : WireClient.produce(i, (short) 1, ByteBuffer.allocate(random.nextInt(40_000))));
            }
            client.send(all.toByteArray());
            TestServer.await(() -> held.size() == count, "all requests handed on before any is answered");
            assertThat(held).extracting(r -> r.header().correlationId()).isSorted();
            List<Request> shuffled = new ArrayList<>(held);
            Collections.shuffle(shuffled, random);
            for (Request request : shuffled) {
                threads.execute(() -> request.respond(emptyAnswer(request)));
            }
            for (int i = 0; i < count; i++) {
                assertThat(client.receiveCorrelationId()).isEqualTo(i);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void aRequestWithoutAnswerLeavesItsTurnToTheNext() throws Exception {
        ConcurrentLinkedQueue<Request> held = new ConcurrentLinkedQueue<>();
        try (TestServer server = new TestServer(NetworkLimits.DEFAULTS, held::add);
                WireClient client = server.connect()) {
            client.send(WireClient.produce(1, (short) 0, ByteBuffer.allocate(10)));
            client.send(WireClient.produce(2, (short) 1, ByteBuffer.allocate(10)));
            TestServer.await(() -> held.size() == 2, "both requests");
            Request first = held.remove();
            Request second = held.remove();
            second.respond(emptyAnswer(second));
            first.respondNothing();
            assertThat(client.receiveCorrelationId()).isEqualTo(2);
        }
    }

    @Test
    void recordsAreViewsOfTheBufferAndLiveOnWhenItIsRetained() throws Exception {
        ConcurrentLinkedQueue<ByteBuf> kept = new ConcurrentLinkedQueue<>();
        byte[] pattern = new byte[300_000];
        new Random(5).nextBytes(pattern);
        try (TestServer server = new TestServer(NetworkLimits.DEFAULTS, request -> {
                    kept.add(request.buffer().retain());
                    request.respond(emptyAnswer(request));
                });
                WireClient client = server.connect()) {
            client.send(WireClient.produce(1, (short) 1, ByteBuffer.wrap(pattern)));
            assertThat(client.receiveCorrelationId()).isEqualTo(1);
            TestServer.await(() -> server.server.requestBytesInFlight() == 0, "request memory given back");
            ByteBuf buffer = kept.remove();
            assertThat(buffer.refCnt()).isEqualTo(1);
            assertThat(buffer.isDirect()).isTrue();
            byte[] end = new byte[pattern.length];
            buffer.getBytes(buffer.writerIndex() - 3 - pattern.length, end);
            assertThat(end).isEqualTo(pattern);
            buffer.release();
        }
    }
}
