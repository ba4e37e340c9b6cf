package io.catchment.broker.quota;

/** Hears whom quotas hold back, on event loops: implementations must be thread-safe, cheap, and never throw. */
public interface QuotaObserver {

    QuotaObserver NONE = (limit, ms) -> {};

    /** What is limited. */
    enum Limit {
        PRODUCE,
        FETCH,
        REQUEST,
        CONTROLLER_MUTATION,
        CONNECTION
    }

    void throttled(Limit limit, int ms);
}
