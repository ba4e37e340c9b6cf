package io.catchment.broker.network;

/**
 * Bounds of the network side of a node. All sizes are in bytes.
 *
 * @param requestBytesMax largest request frame; a larger one closes its connection (Kafka's socket.request.max.bytes)
 * @param controlRequestBytesMax largest frame of an API that carries no records; its parsed form takes many times its size on the heap
 * @param queuedRequestBytesMax request frames in memory over all connections; beyond it sockets are not read
 * @param pipelinedRequestsMax requests of one connection that wait for their answers; beyond it the socket is not read
 * @param unsentResponseBytesMax answers queued for slow readers over all connections; beyond it no further fetch is begun
 * @param connectionsMax open connections over all listeners; a further one is closed at once
 * @param connectionIdleMs a connection without traffic or open request for this long is closed; also the longest that one
 *     request may take to arrive
 * @param stallMs how long a half-received request (or an unread answer) may stand still while others wait for its memory
 */
public record NetworkLimits(
        int requestBytesMax,
        int controlRequestBytesMax,
        long queuedRequestBytesMax,
        int pipelinedRequestsMax,
        long unsentResponseBytesMax,
        int connectionsMax,
        long connectionIdleMs,
        long stallMs) {

    public static final NetworkLimits DEFAULTS =
            new NetworkLimits(100 << 20, 16 << 20, 256L << 20, 64, 512L << 20, Integer.MAX_VALUE, 600_000, 5_000);

    public NetworkLimits {
        positive("requestBytesMax", requestBytesMax);
        positive("controlRequestBytesMax", controlRequestBytesMax);
        positive("pipelinedRequestsMax", pipelinedRequestsMax);
        positive("unsentResponseBytesMax", unsentResponseBytesMax);
        positive("connectionsMax", connectionsMax);
        positive("connectionIdleMs", connectionIdleMs);
        positive("stallMs", stallMs);
        if (queuedRequestBytesMax < requestBytesMax) {
            throw new IllegalArgumentException("queuedRequestBytesMax " + queuedRequestBytesMax
                    + " is less than requestBytesMax " + requestBytesMax + ": the largest request could never be read");
        }
    }

    private static void positive(String name, long value) {
        if (value <= 0) {
            throw new IllegalArgumentException(name + " is " + value + ", want more than 0");
        }
    }
}
