package io.catchment.broker.network;

import org.apache.kafka.common.protocol.ApiKeys;

/** Who answers the requests of a listener. */
public interface RequestHandler {

    /** Whether this API is served here at this version. If not, the connection is closed as Kafka does. */
    boolean accepts(ApiKeys api, short version);

    /**
     * Called on the connection's event loop, in the order of its requests, maybe before earlier ones were answered. Must not
     * block. What it throws becomes the API's error answer.
     */
    void handle(Request request);
}
