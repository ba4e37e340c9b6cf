package io.catchment.broker.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ApiVersionsResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.junit.jupiter.api.Test;

/** Who is over a limit is answered first, with the time to wait, and then not heard for that time (KIP-219). */
class QuotaTest {
    private static final int THROTTLE_MS = 300;
    private static final short VERSION = ApiKeys.API_VERSIONS.latestVersion();

    private final ConcurrentLinkedQueue<Long> handledAtNanos = new ConcurrentLinkedQueue<>();

    private static ApiVersionsResponse answer() {
        return new ApiVersionsResponse(new ApiVersionsResponseData());
    }

    @Test
    void theAnswerLeavesAtOnceAndTheNextRequestWaits() throws Exception {
        try (TestServer server = new TestServer(NetworkLimits.DEFAULTS, request -> {
                    handledAtNanos.add(System.nanoTime());
                    if (request.header().correlationId() == 1) {
                        request.throttle(THROTTLE_MS);
                    }
                    request.respond(answer());
                });
                WireClient client = server.connect();
                WireClient other = server.connect()) {
            client.send(WireClient.apiVersions(1));
            client.send(WireClient.apiVersions(2));
            client.send(WireClient.apiVersions(3));
            assertThat(((ApiVersionsResponse) client.receive(ApiKeys.API_VERSIONS, VERSION)).throttleTimeMs())
                    .isEqualTo(THROTTLE_MS);
            other.send(WireClient.apiVersions(4));
            other.receive();
            for (int i = 0; i < 2; i++) {
                assertThat(((ApiVersionsResponse) client.receive(ApiKeys.API_VERSIONS, VERSION)).throttleTimeMs())
                        .isZero();
            }
        }
        Long[] at = handledAtNanos.toArray(new Long[0]);
        assertThat(at).hasSize(4);
        assertThat(at[3] - at[0]).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(THROTTLE_MS));
    }

    @Test
    void aRequestWithoutAnAnswerThrottlesToo() throws Exception {
        try (TestServer server = new TestServer(NetworkLimits.DEFAULTS, request -> {
                    handledAtNanos.add(System.nanoTime());
                    if (handledAtNanos.size() == 1) {
                        request.throttle(THROTTLE_MS);
                        request.respondNothing();
                    } else {
                        request.respond(answer());
                    }
                });
                WireClient client = server.connect()) {
            client.send(WireClient.apiVersions(1));
            client.send(WireClient.apiVersions(2));
            assertThat(client.receiveCorrelationId()).isEqualTo(2);
        }
        Long[] at = handledAtNanos.toArray(new Long[0]);
        assertThat(at[1] - at[0]).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(THROTTLE_MS));
    }

    @Test
    void timeOnTheEventLoopIsCharged() throws Exception {
        ConcurrentLinkedQueue<Long> spent = new ConcurrentLinkedQueue<>();
        NetworkQuotas quotas = new NetworkQuotas() {
            @Override
            public boolean limitTime() {
                return true;
            }

            @Override
            public int spent(RequestContext request, long nanos) {
                spent.add(nanos);
                return THROTTLE_MS;
            }
        };
        try (TestServer server = new TestServer(NetworkLimits.DEFAULTS, quotas, request -> request.respond(answer()));
                WireClient client = server.connect()) {
            client.send(WireClient.apiVersions(1));
            assertThat(((ApiVersionsResponse) client.receive(ApiKeys.API_VERSIONS, VERSION)).throttleTimeMs())
                    .isEqualTo(THROTTLE_MS);
        }
        assertThat(spent).hasSize(1).allMatch(nanos -> nanos > 0);
    }

    @Test
    void aConnectionTooManyIsClosedLater() throws Exception {
        NetworkQuotas quotas = new NetworkQuotas() {
            @Override
            public int connectionDelayMs(InetAddress address) {
                return handledAtNanos.isEmpty() ? 0 : 10;
            }
        };
        try (TestServer server = new TestServer(NetworkLimits.DEFAULTS, quotas, request -> {
                    handledAtNanos.add(System.nanoTime());
                    request.respond(answer());
                });
                WireClient welcome = server.connect()) {
            welcome.send(WireClient.apiVersions(1));
            welcome.receive();
            try (WireClient tooMany = server.connect()) {
                tooMany.send(WireClient.apiVersions(2));
                assertThat(tooMany.isClosedByServer()).isTrue();
            }
            server.awaitClosed(CloseReason.THROTTLED);
            welcome.send(WireClient.apiVersions(3));
            assertThat(welcome.receiveCorrelationId()).isEqualTo(3);
            assertThat(handledAtNanos).hasSize(2);
        }
    }

    @Test
    void aMutedConnectionThatEndsLeavesNothing() throws Exception {
        try (TestServer server = new TestServer(NetworkLimits.DEFAULTS, request -> {
            request.throttle(50);
            request.respond(answer());
        })) {
            try (WireClient client = server.connect()) {
                client.send(WireClient.apiVersions(1));
                client.send(WireClient.apiVersions(2));
                client.receive();
            }
            server.awaitClosed(CloseReason.PEER);
        }
    }
}
