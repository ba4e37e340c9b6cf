package io.catchment.broker.network;

import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractResponse;
import org.jspecify.annotations.Nullable;

/** Hears what passes through the network, on the event loops: implementations must be thread-safe, cheap, and never throw. */
public interface NetworkObserver {

    NetworkObserver NONE = new NetworkObserver() {};

    default void connectionOpened(String listener) {}

    default void connectionClosed(String listener, CloseReason reason) {}

    /** @param bytes of the frame, its size prefix included */
    default void requestReceived(ApiKeys api, int bytes) {}

    /**
     * @param response null when none was due (acks=0)
     * @param bytes of the frame, its size prefix included
     * @param nanos from the last byte of the request to the answer's turn on the connection
     */
    default void requestAnswered(ApiKeys api, @Nullable AbstractResponse response, int bytes, long nanos) {}
}
