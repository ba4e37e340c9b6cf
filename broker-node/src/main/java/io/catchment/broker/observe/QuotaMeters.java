package io.catchment.broker.observe;

import io.catchment.broker.quota.QuotaObserver;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;

/** How often, and for how long, quotas hold clients back. Thread-safe. */
public final class QuotaMeters implements QuotaObserver {
    private final Map<Limit, Counter> times = new EnumMap<>(Limit.class);
    private final Map<Limit, Counter> seconds = new EnumMap<>(Limit.class);

    /** Meters of all limits exist from the start: a figure that is missing cannot be told from one that is 0. */
    public QuotaMeters(MeterRegistry registry) {
        for (Limit limit : Limit.values()) {
            String name = limit.name().toLowerCase(Locale.ROOT);
            times.put(
                    limit,
                    Counter.builder("catchment.quota.throttled")
                            .description("Requests and connections over a quota, by what is limited")
                            .tag("limit", name)
                            .register(registry));
            seconds.put(
                    limit,
                    Counter.builder("catchment.quota.throttle")
                            .description("For how long their clients were held back")
                            .baseUnit("seconds")
                            .tag("limit", name)
                            .register(registry));
        }
    }

    @Override
    public void throttled(Limit limit, int ms) {
        count(times, limit, 1);
        count(seconds, limit, ms / 1_000.0);
    }

    private static void count(Map<Limit, Counter> counters, Limit limit, double amount) {
        Counter counter = counters.get(limit);
        if (counter != null) {
            counter.increment(amount);
        }
    }
}
