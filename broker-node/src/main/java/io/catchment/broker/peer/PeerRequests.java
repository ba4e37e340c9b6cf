package io.catchment.broker.peer;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
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
 * carried out is not known. So do those that have no answer when this is closed.
 */
public final class PeerRequests implements AutoCloseable {
    private static final int WAITING_MAX = 10_000;
    private static final int REQUEST_TIMEOUT_MS = PeerClient.REQUEST_TIMEOUT_MS;

    private final Metrics metrics = new Metrics();
    private final Time time;
    private final ArrayBlockingQueue<RequestAndCompletionHandler> waiting = new ArrayBlockingQueue<>(WAITING_MAX);
    /** Kafka's thread says nothing of those that it still has when it ends. */
    private final Set<Asked> unanswered = ConcurrentHashMap.newKeySet();

    private final Sender sender;
    private volatile boolean closed;

    /** No record: each is its own. */
    private static final class Asked {
        final CompletableFuture<AbstractResponse> answer = new CompletableFuture<>();
    }

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
        Asked asked = new Asked();
        CompletableFuture<AbstractResponse> answer = asked.answer;
        unanswered.add(asked);
        var unused = answer.whenComplete((response, failure) -> unanswered.remove(asked));
        boolean taken = !closed
                && waiting.offer(new RequestAndCompletionHandler(
                        time.milliseconds(), node, request, response -> complete(answer, response)));
        if (!taken) {
            answer.completeExceptionally(new NetworkException("Too many requests wait for node " + node.idString()));
        }
        sender.wakeup();
        if (closed) {
            failUnanswered();
        }
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
        waiting.clear();
        failUnanswered();
        metrics.close();
    }

    private void failUnanswered() {
        unanswered.forEach(asked -> asked.answer.completeExceptionally(new NetworkException("This node asks no more")));
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
