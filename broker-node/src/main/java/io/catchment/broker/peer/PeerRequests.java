package io.catchment.broker.peer;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.errors.NetworkException;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.util.InterBrokerSendThread;
import org.apache.kafka.server.util.RequestAndCompletionHandler;

/**
 * One thread with Kafka's own client: a connection to each node that is asked, many requests on it at a time. Thread-safe. What waits to be
 * sent is bounded; a request that finds no place, no connection or no answer in time fails with NetworkException: whether it was
 * carried out is not known.
 */
public final class PeerRequests implements AutoCloseable {
    private static final int WAITING_MAX = 10_000;
    private static final int REQUEST_TIMEOUT_MS = PeerClient.REQUEST_TIMEOUT_MS;

    private final Metrics metrics = new Metrics();
    private final Time time;
    private final ArrayBlockingQueue<RequestAndCompletionHandler> waiting = new ArrayBlockingQueue<>(WAITING_MAX);
    private final Sender sender;
    private volatile boolean closed;

    public PeerRequests(int nodeId, Time time) {
        this("peers", nodeId, time);
    }

    /** @param purpose of these connections: those of another purpose are others */
    public PeerRequests(String purpose, int nodeId, Time time) {
        this.time = time;
        this.sender = new Sender(PeerClient.open(purpose, nodeId, metrics, time), time);
        sender.setDaemon(true);
        sender.start();
    }

    /** Completes on the thread of these requests: no work there. */
    public CompletionStage<AbstractResponse> send(
            Node node, AbstractRequest.Builder<? extends AbstractRequest> request) {
        CompletableFuture<AbstractResponse> answer = new CompletableFuture<>();
        boolean taken = !closed
                && waiting.offer(new RequestAndCompletionHandler(
                        time.milliseconds(), node, request, response -> complete(answer, response)));
        if (!taken) {
            answer.completeExceptionally(new NetworkException("Too many requests wait for node " + node.idString()));
        }
        sender.wakeup();
        return answer;
    }

    private static void complete(CompletableFuture<AbstractResponse> answer, ClientResponse response) {
        if (response.hasResponse()) {
            answer.complete(response.responseBody());
        } else if (response.versionMismatch() != null) {
            answer.completeExceptionally(response.versionMismatch());
        } else {
            answer.completeExceptionally(new NetworkException("Node " + response.destination() + " did not answer"));
        }
    }

    @Override
    public void close() {
        closed = true;
        try {
            sender.shutdown();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        List<RequestAndCompletionHandler> left = new ArrayList<>();
        waiting.drainTo(left);
        metrics.close();
    }

    private final class Sender extends InterBrokerSendThread {
        Sender(NetworkClient client, Time time) {
            super("peer-requests", client, REQUEST_TIMEOUT_MS, time);
        }

        @Override
        public Collection<RequestAndCompletionHandler> generateRequests() {
            List<RequestAndCompletionHandler> next = new ArrayList<>();
            waiting.drainTo(next);
            return next;
        }
    }
}
