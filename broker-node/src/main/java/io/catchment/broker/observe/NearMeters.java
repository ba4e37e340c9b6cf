package io.catchment.broker.observe;

import io.catchment.broker.near.NearMetrics;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.atomic.AtomicInteger;

/** Fetching from the nearest. Thread-safe. */
public final class NearMeters implements NearMetrics {
    private final Counter redirected;
    private final Counter answered;
    private final AtomicInteger following = new AtomicInteger();

    public NearMeters(MeterRegistry registry) {
        redirected = Counter.builder("catchment.near.redirects")
                .description("Readers of this node's streams that were sent to a node in their zone")
                .register(registry);
        answered = Counter.builder("catchment.near.answered")
                .description("Bytes of records that were answered for owners in other zones")
                .baseUnit("bytes")
                .register(registry);
        Gauge.builder("catchment.near.streams", following, AtomicInteger::get)
                .description("Streams of owners in other zones that are read here")
                .register(registry);
    }

    @Override
    public void redirected() {
        redirected.increment();
    }

    @Override
    public void answered(int bytes) {
        answered.increment(bytes);
    }

    @Override
    public void following(int streams) {
        following.set(streams);
    }
}
