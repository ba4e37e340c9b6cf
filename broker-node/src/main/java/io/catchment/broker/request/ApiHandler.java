package io.catchment.broker.request;

import io.catchment.broker.network.Request;
import org.apache.kafka.common.protocol.ApiKeys;

/** Answers the requests of one Kafka API. Called on the connection's event loop: it must not block. */
public interface ApiHandler {

    ApiKeys api();

    /** Must lead to exactly one answer of the request, now or later. What it throws becomes the API's error answer. */
    void handle(Request request);
}
