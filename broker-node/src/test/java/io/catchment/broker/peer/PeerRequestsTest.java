package io.catchment.broker.peer;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.errors.NetworkException;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest;
import org.apache.kafka.common.utils.Time;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

class PeerRequestsTest {

    /** Whoever waits for one holds a client's batch meanwhile. */
    @Test
    void noRequestIsLeftWithoutAnOutcomeWhenItEnds() throws Exception {
        List<CompletableFuture<AbstractResponse>> asked = new ArrayList<>();
        // It takes connections and says nothing
        try (ServerSocket silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            PeerRequests requests = new PeerRequests(1, Time.SYSTEM);
            Node node = new Node(2, "127.0.0.1", silent.getLocalPort());
            asked.add(send(requests, node));
            silent.accept();
            asked.add(send(requests, node));
            requests.close();
            asked.add(send(requests, node));
        }
        for (CompletableFuture<AbstractResponse> each : asked) {
            Throwable failure = Assertions.catchThrowable(() -> each.get(20, TimeUnit.SECONDS));
            assertThat(failure).isInstanceOf(ExecutionException.class).hasCauseInstanceOf(NetworkException.class);
        }
    }

    private static CompletableFuture<AbstractResponse> send(PeerRequests requests, Node node) {
        return requests.send(node, new WriteTxnMarkersRequest.Builder(List.of()))
                .toCompletableFuture();
    }
}
