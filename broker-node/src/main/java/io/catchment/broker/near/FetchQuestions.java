package io.catchment.broker.near;

import io.catchment.broker.peer.PeerRequests;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.jspecify.annotations.Nullable;

/**
 * Connections of their own: answers that wait for news must not hold up what else nodes ask of each other. Begun with the first question. Used by
 * one thread, closed by another.
 */
final class FetchQuestions implements OwnerQuestions {
    private final Supplier<PeerRequests> open;
    private @Nullable PeerRequests peers;
    private boolean closed;

    FetchQuestions(Supplier<PeerRequests> open) {
        this.open = open;
    }

    @Override
    public CompletionStage<FetchResponse> ask(Node owner, FetchRequest.Builder request) {
        return opened().send(owner, request).thenApply(FetchResponse.class::cast);
    }

    private synchronized PeerRequests opened() {
        PeerRequests present = peers;
        if (present == null) {
            present = open.get();
            peers = present;
            if (closed) {
                present.close();
            }
        }
        return present;
    }

    @Override
    public void close() {
        PeerRequests opened;
        synchronized (this) {
            closed = true;
            opened = peers;
        }
        if (opened != null) {
            opened.close();
        }
    }
}
