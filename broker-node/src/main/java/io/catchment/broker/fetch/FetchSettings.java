package io.catchment.broker.fetch;

/**
 * Limits of fetch requests.
 *
 * @param responseBytesMax record bytes of one response, whatever the client asks for (Kafka's {@code fetch.max.bytes}); a first batch
 *     larger than that is still answered
 * @param coldBytesMax record bytes of one response that are read from below the tail, so that one catching-up reader leaves room for others
 * @param coldWaitMs how long a request with nothing else to answer waits for reads below the tail
 * @param coldGraceMs how long a request that could be answered already waits for its reads below the tail
 * @param sessionsMax incremental fetch sessions kept (KIP-227; Kafka's {@code max.incremental.fetch.session.cache.slots})
 * @param sessionIdleMs after this long without a request a session may be evicted by another
 */
public record FetchSettings(
        int responseBytesMax, int coldBytesMax, int coldWaitMs, int coldGraceMs, int sessionsMax, int sessionIdleMs) {

    public FetchSettings {
        if (responseBytesMax < 1 || coldBytesMax < 1 || coldWaitMs < 0 || coldGraceMs < 0 || sessionsMax < 1) {
            throw new IllegalArgumentException("fetch settings must be positive: responseBytesMax " + responseBytesMax
                    + ", coldBytesMax " + coldBytesMax + ", coldWaitMs " + coldWaitMs + ", coldGraceMs " + coldGraceMs
                    + ", sessionsMax " + sessionsMax);
        }
    }

    public static FetchSettings defaults() {
        return new FetchSettings(55 << 20, 16 << 20, 10_000, 100, 1_000, 120_000);
    }
}
