package io.catchment.broker.node;

import io.catchment.broker.network.Request;
import io.catchment.broker.network.RequestHandler;
import org.apache.kafka.common.protocol.ApiKeys;

/**
 * The requests of the client listeners go to the handlers of the node's present epoch. Between two epochs those of the last one
 * answer: its partitions are closed, so clients are sent elsewhere. Thread-safe.
 */
final class SwitchedHandler implements RequestHandler {
    private volatile RequestHandler present;

    SwitchedHandler(RequestHandler first) {
        present = first;
    }

    void set(RequestHandler next) {
        present = next;
    }

    @Override
    public boolean accepts(ApiKeys api, short version) {
        return present.accepts(api, version);
    }

    @Override
    public void handle(Request request) {
        present.handle(request);
    }
}
