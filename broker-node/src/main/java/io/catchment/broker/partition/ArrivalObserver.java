package io.catchment.broker.partition;

/** Told once for each batch how old its newest record was when it arrived, in ms of event time (may be negative). */
@FunctionalInterface
public interface ArrivalObserver {
    void arrived(String topic, long delayMs);
}
